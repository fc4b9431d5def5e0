using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>What the daemon is started with.</summary>
/// <param name="Directory">The sandbox.</param>
/// <param name="Tools">Absolute path of <c>.tools/</c>.</param>
/// <param name="Ports">The ports that were asked for.</param>
/// <param name="DockerHost">The engine that DOCKER_HOST named; null for none.</param>
/// <param name="Owner">A process with whose end the sandbox ends and removes itself; null for one that stays.</param>
internal sealed record DaemonOptions(SandboxDirectory Directory, string Tools, SandboxSettings Ports, string? DockerHost, int? Owner)
{
    private const string Verb = "serve";

    /// <summary>The arguments that <see cref="Parse"/> reads.</summary>
    public IReadOnlyList<string> ToArguments() =>
    [
        Verb,
        DirectoryArgument(Directory),
        "--tools=" + Tools,
        Number("--ingress-port=", Ports.IngressPort),
        Number("--api-port=", Ports.ApiPort),
        Number("--registry-port=", Ports.RegistryPort),
        .. DockerHost is { } host ? (string[])["--docker-host=" + host] : [],
        .. Owner is { } owner ? (string[])[Number("--owner=", owner)] : [],
    ];

    /// <summary>The options of a run's sandbox, which stays when the run ends.</summary>
    public static DaemonOptions Of(RunOptions run, SandboxSettings ports, EnvironmentVariables variables) =>
        new(new SandboxDirectory(run.SandboxDirectory), run.ToolsDirectory, ports, variables["DOCKER_HOST"], Owner: null);

    /// <summary>The argument that a daemon is known by.</summary>
    public static string DirectoryArgument(SandboxDirectory directory) => "--directory=" + directory.Root;

    /// <summary>Reads a daemon's arguments; null where they are not ones.</summary>
    public static DaemonOptions? Parse(IReadOnlyList<string> arguments)
    {
        if (arguments is not [Verb, ..])
        {
            return null;
        }

        var values = arguments.Skip(1).Select(argument => argument.Split('=', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0], pair => pair[1]);
        if (!values.TryGetValue("--directory", out var directory) || !values.TryGetValue("--tools", out var tools))
        {
            return null;
        }

        var ports = new SandboxSettings
        {
            IngressPort = Port("--ingress-port"),
            ApiPort = Port("--api-port"),
            RegistryPort = Port("--registry-port"),
        };
        return new DaemonOptions(
            new SandboxDirectory(directory),
            tools,
            ports,
            values.GetValueOrDefault("--docker-host"),
            values.TryGetValue("--owner", out var owner) ? int.Parse(owner, CultureInfo.InvariantCulture) : null);

        int Port(string name) => values.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
    }

    private static string Number(string name, int value) => name + value.ToString(CultureInfo.InvariantCulture);
}

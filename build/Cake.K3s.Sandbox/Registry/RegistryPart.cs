using System.Globalization;
using System.Security.Cryptography;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Registry;

/// <summary>The registry that images are pushed to and that the node pulls from: CNCF distribution on 127.0.0.1.</summary>
internal sealed class RegistryPart(SandboxDirectory directory, int port, IToolbox tools, ICommandRunner runner) : ISandboxPart
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    // Debian's name and the upstream one.
    internal static readonly string[] Programs = ["docker-registry", "registry"];

    private readonly DetachedProgram _program = Program(directory);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private string _version = "";

    public string Name => "registry";

    /// <summary>Host and port.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    public static DetachedProgram Program(SandboxDirectory directory) =>
        new("registry", Programs, directory.RegistryConfiguration, directory.LogOf("registry"));

    public bool IsRunning() => _program.Find() is not null;

    public async Task<PartStatus> CheckAsync(CancellationToken cancellationToken) =>
        new(Name, await ProblemAsync(cancellationToken), _version, "http://" + Address, _program.Find()?.Id);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var tool = await tools.RequireAsync(ToolName.Registry, "the sandbox", cancellationToken);
        _version = tool.Source;
        if (!IsRunning())
        {
            Directory.CreateDirectory(directory.RegistryData);
            PrivateFiles.Write(directory.RegistryConfiguration, Configuration(Address, directory.RegistryData, RandomNumberGenerator.GetHexString(32)));
        }

        var command = new Command(tool.Path, "serve", directory.RegistryConfiguration) { Environment = tool.Environment };
        await _program.StartAsync(runner, command, ProblemAsync, StartLimit, cancellationToken);
    }

    /// <summary>The configuration of distribution 2.8: <see href="https://distribution.github.io/distribution/about/configuration/"/>.</summary>
    internal static string Configuration(string address, string data, string secret) => $$"""
        version: 0.1
        log:
          level: warn
          accesslog:
            disabled: true
        storage:
          filesystem:
            rootdirectory: "{{data}}"
          delete:
            enabled: true
          maintenance:
            uploadpurging:
              enabled: true
              age: 24h
              interval: 24h
              dryrun: false
        http:
          addr: {{address}}
          secret: {{secret}}

        """;

    private async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync($"http://{Address}/v2/", cancellationToken);
            return response.IsSuccessStatusCode ? null : $"it answers {(int)response.StatusCode}";
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return exception.Message;
        }
    }
}

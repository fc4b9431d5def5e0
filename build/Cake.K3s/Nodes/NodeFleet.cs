using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Nodes.Ssh;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Nodes;

/// <summary>The nodes that a run works on, made once.</summary>
internal sealed class NodeFleet
{
    private const int SshPort = 22;
    private readonly Lazy<ImmutableArray<Node>> _all;
    private readonly Lazy<ImmutableArray<Node>> _nodes;

    /// <summary>Reads nothing yet.</summary>
    public NodeFleet(PipelineRun run, Func<IEnumerable<IFactSource>> sources, ICommandRunner runner, EnvironmentVariables variables, TimeProvider time)
    {
        _all = new(() => Make(run, sources, runner, variables, time));
        _nodes = new(() => Selected(run));
    }

    /// <summary>All nodes of deploy.yaml, whatever <c>--nodes</c> names: for looking at the cluster, not for changing it.</summary>
    public ImmutableArray<Node> All => _all.Value;

    /// <summary>The nodes that <c>--nodes</c> names, in the order of deploy.yaml; all where it is not given.</summary>
    /// <exception cref="K3sException">There is no node of a name (exit code 2).</exception>
    public ImmutableArray<Node> Nodes => _nodes.Value;

    private ImmutableArray<Node> Selected(PipelineRun run)
    {
        var names = NodeSelection.Of(run.EnvironmentSettings, run.Options).Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        return [.. All.Where(node => names.Contains(node.Name))];
    }

    private static ImmutableArray<Node> Make(
        PipelineRun run,
        Func<IEnumerable<IFactSource>> sources,
        ICommandRunner runner,
        EnvironmentVariables variables,
        TimeProvider time)
    {
        var environment = run.EnvironmentSettings;
        var files = new SshFiles(
            environment.Hardening.SshConfig is { } config ? UserPath.Resolve(config, run.Settings.Root, variables) : null,
            Path.Combine(run.Settings.Root, "known_hosts"),
            ControlDirectory(variables));

        // Where SSH was moved to may be where it still is, after a change that was taken back.
        int[] ports = environment.Hardening.SshPort is { } moved ? [moved, SshPort] : [];
        return
        [
            .. environment.Nodes.Select(node => new Node(
                node.Name,
                new SshTarget(node.Host, node.Port, node.User, AliasOf(node, environment)),
                ports,
                files,
                sources,
                runner,
                time)),
        ];
    }

    // Two nodes may be behind one address, at different ports.
    private static string AliasOf(NodeSettings node, EnvironmentSettings environment) =>
        environment.Nodes.Count(other => other.Host == node.Host) > 1 ? node.Name : node.Host;

    private static string? ControlDirectory(EnvironmentVariables variables)
    {
        // The longest path of a socket is 107 letters; its name has 49, and the client appends 17 while it makes it.
        const int Longest = 40;
        if (OperatingSystem.IsWindows() || variables["HOME"] is not { } home || Path.Combine(home, ".ssh") is not { Length: <= Longest } directory)
        {
            return null;
        }

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(directory, OwnerOnly);
        return directory;
    }
}

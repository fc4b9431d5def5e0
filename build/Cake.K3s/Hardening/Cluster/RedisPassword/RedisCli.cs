using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Hardening.Cluster.RedisPassword;

/// <summary>Talks to Redis by the <c>redis-cli</c> in its own container. Commands go through standard input: they hold the password.</summary>
internal sealed class RedisCli(ICommandRunner commands, IToolbox tools)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Sends commands over one connection.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="container">Its container.</param>
    /// <param name="requests">The commands, as redis-cli reads them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answers, line by line.</returns>
    /// <exception cref="CommandFailedException">The container has no redis-cli, or Redis does not answer.</exception>
    public async Task<ImmutableArray<string>> SendAsync(
        ClusterConnection cluster, string pod, string container, IEnumerable<string> requests, CancellationToken cancellationToken)
    {
        var kubectl = await tools.RequireAsync(ToolName.Kubectl, "RedisPassword", cancellationToken);
        var result = await commands.RunAsync(Exec(kubectl, cluster, pod, container, requests), cancellationToken);
        return [.. result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    /// <summary>The command; runs nothing.</summary>
    internal static Command Exec(Tool kubectl, ClusterConnection cluster, string pod, string container, IEnumerable<string> requests)
    {
        IEnumerable<string> context = cluster.Context is { } name ? ["--context", name] : [];
        return new(
            kubectl.Path, ["--kubeconfig", cluster.Kubeconfig, .. context, "-n", cluster.Namespace, "exec", "-i", pod, "-c", container, "--", "redis-cli"])
        {
            Environment = kubectl.Environment,
            StandardInput = new Secret(string.Concat(requests.Select(request => request + "\n"))),
            Timeout = Limit,
            Purpose = $"talk to Redis in Pod/{pod}",
        };
    }

    /// <summary>An argument as redis-cli reads it.</summary>
    internal static string Quote(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}

using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes.K3s;

/// <summary>What one server of K3s says of its cluster.</summary>
/// <param name="Nodes">All nodes by name, and whether each is Ready.</param>
/// <param name="FailedChecks">The checks of etcd that its API server fails; without a quorum of members none passes.</param>
/// <param name="Answers">Whether its API answered both questions.</param>
internal sealed record ClusterReading(ImmutableSortedDictionary<string, bool> Nodes, ImmutableArray<string> FailedChecks, bool Answers)
{
    /// <summary>
    /// POSIX shell that asks a server's own API. <c>kubectl</c> tells the failed checks as part of its error; they are lines of their own
    /// there too.
    /// </summary>
    public const string Script = """
        k3s kubectl get nodes --request-timeout=10s -o jsonpath='{range .items[*]}node={.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' 2>/dev/null
        k3s kubectl get --raw '/readyz?verbose' --request-timeout=10s 2>&1
        """;

    /// <summary>Reads what the script printed.</summary>
    public static ClusterReading Parse(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries);
        var nodes = lines.Where(line => line.StartsWith("node=", StringComparison.Ordinal))
            .Select(line => line["node=".Length..].Split(' '))
            .ToImmutableSortedDictionary(parts => parts[0], parts => parts.ElementAtOrDefault(1) == "True", StringComparer.Ordinal);

        // The error begins with the first check, in the middle of a line.
        var checks = lines.Select(line => line[Math.Max(0, line.IndexOf('['))..]).Where(line => line.StartsWith("[+]etcd", StringComparison.Ordinal) || line.StartsWith("[-]etcd", StringComparison.Ordinal)).ToList();
        return new ClusterReading(nodes, [.. checks.Where(check => check[1] == '-')], !nodes.IsEmpty && checks.Count > 0);
    }

    /// <summary>Why the cluster cannot do without a node now; null where it can.</summary>
    /// <param name="server">The server that says so.</param>
    /// <param name="without">The node.</param>
    public string? Objection(string server, string without) =>
        !Answers ? $"the API of {server} does not answer"
        : !FailedChecks.IsEmpty ? $"etcd is not ready on {server}: {FailedChecks[0]}"
        : Nodes.FirstOrDefault(node => !node.Value && node.Key != without).Key is { } missing ? $"{missing} is not Ready"
        : null;
}

using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Who may open a connection to what.</summary>
/// <param name="Flows">Every connection that somebody of the matrix may try, with what becomes of it.</param>
internal sealed record FlowMatrix(ImmutableArray<(Flow Flow, FlowVerdict Verdict)> Flows)
{
    /// <summary>Evaluates every connection from a source to a target.</summary>
    public static FlowMatrix Of(FlowEvaluator evaluator, IEnumerable<NetworkEnd> sources, IReadOnlyList<FlowTarget> targets) => new(
    [
        .. from source in sources
           from target in targets
           where !ReferenceEquals(source, target.To)
           let flow = new Flow(source, target.To, target.Port, target.Protocol)
           select (flow, evaluator.Evaluate(flow)),
    ]);

    /// <summary>The matrix as lines: a row for each source, a column for each target.</summary>
    public IEnumerable<string> Table()
    {
        var columns = Flows.Select(item => Column(item.Flow)).Distinct().ToList();
        var rows = Flows.Select(item => item.Flow.From.Name).Distinct().ToList();
        var cells = Flows.ToLookup(item => (item.Flow.From.Name, Column(item.Flow)), item => item.Verdict.IsAllowed);
        var first = rows.Select(row => row.Length).Append("from \\ to".Length).Max();
        yield return string.Join("  ", columns.Prepend("from \\ to".PadRight(first))).TrimEnd();
        foreach (var row in rows)
        {
            var line = columns.Select(column => Cell(cells[(row, column)]).PadRight(column.Length)).Prepend(row.PadRight(first));
            yield return string.Join("  ", line).TrimEnd();
        }
    }

    /// <summary>The connections one by one, each with the policies that decided.</summary>
    public IEnumerable<string> Details() => Flows.Select(item =>
        $"{item.Flow.From.Name} → {Column(item.Flow)}: {(item.Verdict.IsAllowed ? "allowed" : "denied")}, {item.Verdict.Reason}");

    private static string Column(Flow flow) => $"{flow.To.Name}:{flow.Port}{(flow.Protocol == "TCP" ? "" : "/" + flow.Protocol.ToLowerInvariant())}";

    // Several pods of one name may be told apart by their labels: then only what all of them may is allowed.
    private static string Cell(IEnumerable<bool> allowed)
    {
        var all = allowed.ToList();
        return all.Count == 0 ? "" : all.TrueForAll(value => value) ? "yes" : "-";
    }
}

/// <summary>Where connections go.</summary>
/// <param name="To">To whom.</param>
/// <param name="Port">To which port.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</param>
internal sealed record FlowTarget(NetworkEnd To, int Port, string Protocol = "TCP");

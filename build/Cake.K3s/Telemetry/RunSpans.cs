using System.Collections.Immutable;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;

namespace Cake.K3s.Telemetry;

/// <summary>A span, as it is to be sent.</summary>
/// <param name="Name">What was done.</param>
/// <param name="From">Since when.</param>
/// <param name="To">Until when.</param>
/// <param name="Failure">What failed, in one line; null where nothing did.</param>
/// <param name="Attributes">What is told of it; no secret, since they come from the record of the run.</param>
/// <param name="Children">What was done as a part of it.</param>
internal sealed record RunSpan(
    string Name, DateTimeOffset From, DateTimeOffset To, string? Failure, ImmutableArray<KeyValuePair<string, object?>> Attributes, ImmutableArray<RunSpan> Children);

/// <summary>Makes spans of what is kept of a run: the run, in it its tasks, in the task that verifies its workloads' states.</summary>
internal static class RunSpans
{
    private const string VerifyingTask = "VerifyRollout";

    /// <summary>The run's span, with all others in it.</summary>
    public static RunSpan Of(RunRecord record)
    {
        var tasks = record.Tasks.Where(task => task.StartedAt is not null).Select(task => Task(record, task)).ToImmutableArray();
        return new(record.Target, record.StartedAt, record.EndedAt, record.ExitCode is 0 ? null : record.Failure ?? record.Outcome, Attributes(
            ("cake.k3s.app", record.App),
            ("deployment.environment.name", record.Environment),
            ("cake.k3s.exit_code", record.ExitCode),
            ("cake.k3s.release", record.Release?.Number),
            ("cake.k3s.release.state", record.Release?.State),
            ("vcs.ref.head.revision", record.Release?.Commit),
            ("cake.k3s.verdict", record.Verdicts.IsEmpty ? null : record.Verdicts[^1].Summary)), tasks);
    }

    private static RunSpan Task(RunRecord record, TaskRecord task)
    {
        var (from, to) = (task.StartedAt!.Value, task.StartedAt.Value + TimeSpan.FromSeconds(task.Seconds));
        var children = task.Name == VerifyingTask
            ? record.Workloads.SelectMany(workload => workload.Spans.Select(span => Workload(workload, span))).ToImmutableArray()
            : [];
        var failed = task.State is nameof(TaskOutcome.Failed) or nameof(TaskOutcome.Cancelled);
        return new(task.Name, from, to, failed ? task.Reason ?? task.State : null, Attributes(
            ("cake.k3s.task.state", task.State),
            ("cake.k3s.task.reason", failed ? null : task.Reason)), children);
    }

    private static RunSpan Workload(WorkloadRecord workload, SpanRecord span) => new(
        $"{workload.Kind}/{workload.Name} {span.State}", span.From, span.To, null, Attributes(
            ("k8s.namespace.name", workload.Namespace),
            ("cake.k3s.workload.state", span.Text)), []);

    private static ImmutableArray<KeyValuePair<string, object?>> Attributes(params ReadOnlySpan<(string Key, object? Value)> all)
    {
        var attributes = ImmutableArray.CreateBuilder<KeyValuePair<string, object?>>();
        foreach (var (key, value) in all)
        {
            if (value is not null)
            {
                attributes.Add(new(key, value));
            }
        }

        return attributes.ToImmutable();
    }
}

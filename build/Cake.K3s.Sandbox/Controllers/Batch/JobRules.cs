using System.Globalization;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Batch;

/// <summary>What is to be done for a Job next, and its status (pkg/controller/job).</summary>
internal static class JobRules
{
    public const string IndexAnnotation = "batch.kubernetes.io/job-completion-index";
    private const int DefaultBackoffLimit = 6;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>The condition that ended the Job; null while it goes on.</summary>
    public static V1JobCondition? Finished(V1Job job) =>
        job.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "Complete" or "Failed", Status: "True" });

    public static JobPlan Decide(V1Job job, IReadOnlyList<V1Pod> pods, DateTime now)
    {
        var (spec, failed, succeeded) = (job.Spec, Failed(job, pods), Succeeded(job, pods));
        var active = pods.Where(PodFacts.IsActive).ToList();
        var start = spec.Suspend == true ? (DateTime?)null : job.Status?.StartTime ?? now;
        var deadline = spec.ActiveDeadlineSeconds is { } seconds && start is { } since ? since.AddSeconds(seconds) - now : (TimeSpan?)null;

        if (FailedByPolicy(job, pods) is { } byPolicy)
        {
            return JobPlan.Fail(active, "PodFailurePolicy", byPolicy);
        }

        if (failed > (spec.BackoffLimit ?? DefaultBackoffLimit) || Restarts(job, active) > (spec.BackoffLimit ?? DefaultBackoffLimit))
        {
            return JobPlan.Fail(active, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }

        if (deadline <= TimeSpan.Zero)
        {
            return JobPlan.Fail(active, "DeadlineExceeded", "Job was active longer than specified deadline");
        }

        // Without completions one success is enough, once every pod has ended.
        var complete = spec.Completions is { } wanted ? succeeded >= wanted : succeeded > 0 && active.Count == 0;
        if (complete)
        {
            return new() { Delete = active, Complete = true };
        }

        if (spec.Suspend == true)
        {
            return new() { Delete = active };
        }

        var parallel = spec.Parallelism ?? 1;
        var room = spec.Completions is { } total ? Math.Min(parallel, total - succeeded) : succeeded > 0 ? active.Count : parallel;
        if (active.Count > room)
        {
            return new() { Delete = [.. PodFacts.ByDispensability(active).Take(active.Count - room)], LookAgain = deadline };
        }

        // A pod that is being deleted is replaced only when it has ended.
        var missing = room - active.Count - pods.Count(pod => pod.Metadata.DeletionTimestamp is not null && !PodFacts.IsFinished(pod));
        if (missing <= 0)
        {
            return new() { LookAgain = deadline };
        }

        var pause = UntilNextTry(pods, failed, now);
        if (pause > TimeSpan.Zero)
        {
            return new() { LookAgain = deadline < pause ? deadline : pause };
        }

        return new() { Create = spec.CompletionMode == "Indexed" ? FreeIndexes(job, pods, missing) : [.. Enumerable.Repeat((int?)null, missing)], LookAgain = deadline };
    }

    public static V1JobStatus Status(V1Job job, IReadOnlyList<V1Pod> pods, JobPlan plan, DateTime now)
    {
        var old = job.Status ?? new V1JobStatus();
        var active = pods.Where(PodFacts.IsActive).ToList();
        var terminating = pods.Count(pod => pod.Metadata.DeletionTimestamp is not null && !PodFacts.IsFinished(pod));
        var status = new V1JobStatus
        {
            StartTime = job.Spec.Suspend == true ? null : old.StartTime ?? now,
            CompletionTime = old.CompletionTime,
            Active = active.Count == 0 ? null : active.Count,
            Ready = active.Count(PodFacts.IsReady),
            Terminating = terminating,
            Succeeded = Succeeded(job, pods) is > 0 and var succeeded ? succeeded : null,
            Failed = Failed(job, pods) is > 0 and var failed ? failed : null,
            UncountedTerminatedPods = new V1UncountedTerminatedPods(),
            CompletedIndexes = job.Spec.CompletionMode == "Indexed" ? Ranges(CompletedIndexes(job, pods)) : null,
            Conditions = [.. (old.Conditions ?? []).Where(condition => condition.Type != "Suspended" || job.Spec.Suspend == true)],
        };
        if (job.Spec.Suspend == true && status.Conditions.All(condition => condition.Type != "Suspended"))
        {
            status.Conditions.Add(Condition("Suspended", "JobSuspended", "Job suspended", now));
        }

        // As of 1.31 the verdict comes first, and the Job is finished when its last pod has ended.
        var pending = active.Count + terminating > 0;
        if (plan.Complete)
        {
            Set(status, "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods", now);
            if (!pending)
            {
                Set(status, "Complete", "CompletionsReached", "Reached expected number of succeeded pods", now);
                status.CompletionTime ??= now;
            }
        }
        else if (plan.Failure is { } failure)
        {
            Set(status, "FailureTarget", failure.Reason, failure.Message, now);
            if (!pending)
            {
                Set(status, "Failed", failure.Reason, failure.Message, now);
            }
        }

        status.Conditions = status.Conditions.Count == 0 ? null : status.Conditions;
        return status;
    }

    private static void Set(V1JobStatus status, string type, string reason, string message, DateTime now)
    {
        if (status.Conditions.All(condition => condition.Type != type))
        {
            status.Conditions.Add(Condition(type, reason, message, now));
        }
    }

    private static V1JobCondition Condition(string type, string reason, string message, DateTime now) =>
        new() { Type = type, Status = "True", Reason = reason, Message = message, LastProbeTime = now, LastTransitionTime = now };

    // Counts never go down: a finished pod may have been deleted since.
    private static int Failed(V1Job job, IReadOnlyList<V1Pod> pods) =>
        Math.Max(job.Status?.Failed ?? 0, pods.Count(pod => pod.Status?.Phase == "Failed" && Action(job, pod) != "Ignore"));

    private static int Succeeded(V1Job job, IReadOnlyList<V1Pod> pods) => job.Spec.CompletionMode == "Indexed"
        ? CompletedIndexes(job, pods).Count
        : Math.Max(job.Status?.Succeeded ?? 0, pods.Count(pod => pod.Status?.Phase == "Succeeded"));

    /// <summary>With OnFailure it is the containers that are tried again, not the pods.</summary>
    private static int Restarts(V1Job job, List<V1Pod> active) => job.Spec.Template.Spec.RestartPolicy != "OnFailure" ? 0 : active
        .SelectMany(pod => (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? [])).Sum(container => container.RestartCount);

    private static TimeSpan UntilNextTry(IReadOnlyList<V1Pod> pods, int failed, DateTime now)
    {
        if (failed == 0 || pods.Where(pod => pod.Status?.Phase == "Failed").Select(FinishedAt).Max() is not { } last)
        {
            return TimeSpan.Zero;
        }

        var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Min(failed - 1, 10), LongestPause.Ticks));
        return last + pause - now;
    }

    private static DateTime? FinishedAt(V1Pod pod) =>
        (pod.Status?.ContainerStatuses ?? []).Select(container => container.State?.Terminated?.FinishedAt).Max() ?? pod.Metadata.CreationTimestamp;

    private static List<int?> FreeIndexes(V1Job job, IReadOnlyList<V1Pod> pods, int count)
    {
        var taken = CompletedIndexes(job, pods).Concat(pods.Where(PodFacts.IsActive).Select(IndexOf).OfType<int>()).ToHashSet();
        return [.. Enumerable.Range(0, job.Spec.Completions ?? 0).Where(index => !taken.Contains(index)).Take(count).Select(index => (int?)index)];
    }

    private static SortedSet<int> CompletedIndexes(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        var result = new SortedSet<int>(pods.Where(pod => pod.Status?.Phase == "Succeeded").Select(IndexOf).OfType<int>());
        foreach (var range in (job.Status?.CompletedIndexes ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var bounds = range.Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToList();
            result.UnionWith(Enumerable.Range(bounds[0], bounds[^1] - bounds[0] + 1));
        }

        return result;
    }

    private static int? IndexOf(V1Pod pod) =>
        pod.Metadata.Annotations?.TryGetValue(IndexAnnotation, out var text) == true && int.TryParse(text, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>Numbers as 0,2-4.</summary>
    private static string Ranges(SortedSet<int> indexes)
    {
        var parts = new List<string>();
        foreach (var group in indexes.Select((value, position) => (value, position)).GroupBy(pair => pair.value - pair.position))
        {
            var (first, last) = (group.First().value, group.Last().value);
            parts.Add(first == last ? $"{first}" : $"{first}-{last}");
        }

        return string.Join(',', parts);
    }

    private static string? FailedByPolicy(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        foreach (var pod in pods.Where(pod => pod.Status?.Phase == "Failed"))
        {
            if (MatchingRule(job, pod) is { Rule: { Action: "FailJob" }, Index: var index, Detail: var detail })
            {
                return $"{detail} for pod {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name} failed matching FailJob rule at index {index}";
            }
        }

        return null;
    }

    private static string Action(V1Job job, V1Pod pod) => MatchingRule(job, pod)?.Rule.Action ?? "Count";

    private static (V1PodFailurePolicyRule Rule, int Index, string Detail)? MatchingRule(V1Job job, V1Pod pod)
    {
        foreach (var (rule, index) in (job.Spec.PodFailurePolicy?.Rules ?? []).Select((rule, index) => (rule, index)))
        {
            if (rule.OnExitCodes is { } codes)
            {
                var match = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(container =>
                    (string.IsNullOrEmpty(codes.ContainerName) || codes.ContainerName == container.Name)
                    && container.State?.Terminated is { ExitCode: not 0 } ended
                    && codes.Values.Contains(ended.ExitCode) == (codes.OperatorProperty == "In"));
                if (match is not null)
                {
                    return (rule, index, $"Container {match.Name} with exit code {match.State.Terminated.ExitCode}");
                }
            }
            else if (rule.OnPodConditions?.FirstOrDefault(wanted => pod.Status?.Conditions?.Any(condition => condition.Type == wanted.Type && condition.Status == wanted.Status) == true) is { } met)
            {
                return (rule, index, $"Condition {met.Type}");
            }
        }

        return null;
    }
}

/// <summary>What is to be done for a Job.</summary>
internal sealed record JobPlan
{
    /// <summary>The pods to create, by completion index; null entries have none.</summary>
    public IReadOnlyList<int?> Create { get; init; } = [];

    public IReadOnlyList<V1Pod> Delete { get; init; } = [];

    /// <summary>Enough pods have succeeded.</summary>
    public bool Complete { get; init; }

    /// <summary>Why the Job has failed.</summary>
    public (string Reason, string Message)? Failure { get; init; }

    /// <summary>When something is due without any change.</summary>
    public TimeSpan? LookAgain { get; init; }

    public static JobPlan Fail(IReadOnlyList<V1Pod> active, string reason, string message) => new() { Delete = active, Failure = (reason, message) };
}

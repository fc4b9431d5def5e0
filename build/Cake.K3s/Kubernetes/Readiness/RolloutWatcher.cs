using System.Threading.Channels;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Watches a rollout until it has succeeded, failed or run out of time. Nothing is polled: the API pushes every change, and the
/// clock is looked at only when a rule says that time decides.
/// </summary>
internal sealed class RolloutWatcher(TimeProvider time, IReporter reporter)
{
    private static readonly GroupVersionKind Pods = new("", "v1", "Pod");
    private static readonly GroupVersionKind Events = new("", "v1", "Event");
    private static readonly GroupVersionKind ReplicaSets = new("apps", "v1", "ReplicaSet");
    private static readonly GroupVersionKind Jobs = new("batch", "v1", "Job");

    /// <summary>Watches until the outcome is known.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="applied">The objects that were applied; those whose kind is done when it is there are not watched.</param>
    /// <param name="terms">When it began and how long it may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">The cluster cannot be read, or an annotation is wrong.</exception>
    public async Task<RolloutOutcome> WatchAsync(
        ClusterApi api, IEnumerable<ObjectKey> applied, RolloutTerms terms, CancellationToken cancellationToken)
    {
        var targets = new List<ObjectKey>();
        foreach (var key in applied.Where(key => ReadinessRules.IsJudged(key.Type)))
        {
            targets.Add(await api.ResolveAsync(key, cancellationToken));
        }

        var rollout = new Rollout(targets, terms, reporter.Report);
        if (targets.Count == 0)
        {
            return new([], 0, NewVersionServed: false);
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var changes = Channel.CreateUnbounded<WatchEvent>(new() { SingleReader = true });
        var streams = Streams(targets).ToList();
        var watches = streams.ConvertAll(stream => PumpAsync(api, stream.Type, stream.Namespace, changes.Writer, ending.Token));
        try
        {
            return await FollowAsync(rollout, changes.Reader, streams.Count, cancellationToken);
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(watches);
        }
    }

    /// <summary>What has to be watched to judge the targets.</summary>
    internal static IEnumerable<(GroupVersionKind Type, string? Namespace)> Streams(IEnumerable<ObjectKey> targets) =>
        targets.SelectMany(key => Needed(key).Append(key.Type).Select(type => (type, key.Namespace))).Distinct();

    private static IEnumerable<GroupVersionKind> Needed(ObjectKey key) => key.Type.Kind switch
    {
        "Deployment" => [ReplicaSets, Pods, Events],
        "StatefulSet" or "DaemonSet" or "Job" => [Pods, Events],
        "Pod" or "PersistentVolumeClaim" => [Events],
        "HelmChart" => [Jobs, Pods, Events],
        _ => [],
    };

    private async Task<RolloutOutcome> FollowAsync(
        Rollout rollout, ChannelReader<WatchEvent> changes, int unsynced, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (changes.TryRead(out var change))
            {
                if (change.Type == WatchEventType.Synced)
                {
                    unsynced--;
                }

                rollout.Take(change);
            }

            // Judged before all is listed, a workload would seem to have no pods.
            if (unsynced == 0 && rollout.Judge(time.GetUtcNow()) is { } outcome)
            {
                return outcome;
            }

            await WaitAsync(changes, unsynced == 0 ? rollout.LookAgainAt : null, cancellationToken);
        }
    }

    /// <summary>Waits for a change, or until a moment.</summary>
    private async Task WaitAsync(ChannelReader<WatchEvent> changes, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        using var alarm = until is null
            ? new CancellationTokenSource()
            : new CancellationTokenSource(Max(until.Value - time.GetUtcNow(), TimeSpan.FromMilliseconds(1)), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, alarm.Token);
        try
        {
            await changes.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (alarm.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // It is time to look again.
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>Passes the changes of one watch on; a failure ends the reader.</summary>
    private static async Task PumpAsync(
        ClusterApi api, GroupVersionKind type, string? namespaceName, ChannelWriter<WatchEvent> changes, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in api.WatchAsync(type, namespaceName, null, cancellationToken))
            {
                changes.TryWrite(change);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The outcome is known.
        }
        catch (Exception e)
        {
            changes.TryComplete(e);
        }
    }
}

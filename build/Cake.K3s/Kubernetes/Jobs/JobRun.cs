using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Kubernetes.Jobs;

/// <summary>Runs one Job to its verdict, with its log shown as it comes.</summary>
internal sealed class JobRun(RolloutWatcher watcher, TimeProvider time)
{
    private static readonly TimeSpan LogLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gives a suspended Job what it reads, as objects that it owns, and lets it run: whatever this is interrupted by, they go when it goes.
    /// </summary>
    /// <param name="api">The cluster.</param>
    /// <param name="job">The Job, as it is in the cluster; one that is not suspended is left as it is.</param>
    /// <param name="inputs">What it reads.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<JsonObject> ResumeAsync(ClusterApi api, JsonObject job, IEnumerable<JsonObject> inputs, CancellationToken cancellationToken)
    {
        if (job.Flag("spec", "suspend") != true)
        {
            return job;
        }

        foreach (var input in inputs)
        {
            var owned = input.DeepClone().AsObject();
            owned["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = "batch/v1",
                ["kind"] = "Job",
                ["name"] = job.ObjectName(),
                ["uid"] = job.Uid(),
            });
            await api.ApplyAsync(owned, cancellationToken, new() { Force = true });
        }

        return await api.PatchAsync(
            ObjectKey.Of(job), PatchType.Merge, new JsonObject { ["spec"] = new JsonObject { ["suspend"] = false } }, cancellationToken);
    }

    /// <summary>Waits for the verdict.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="job">The Job.</param>
    /// <param name="log">Shows its log.</param>
    /// <param name="terms">When it began, and how long it may take.</param>
    /// <param name="cancellationToken">Ends the waiting; the Job goes on.</param>
    public async Task<RolloutOutcome> FollowAsync(
        ClusterApi api, ObjectKey job, JobLog log, RolloutTerms terms, CancellationToken cancellationToken)
    {
        using var finished = new CancellationTokenSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = log.FollowAsync(api, job, finished.Token, ending.Token);
        try
        {
            var outcome = await watcher.WatchAsync(api, [job], terms, cancellationToken);
            await finished.CancelAsync();
            await Task.WhenAny(following, Task.Delay(LogLimit, time, cancellationToken));
            return outcome;
        }
        finally
        {
            await ending.CancelAsync();
            await following.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}

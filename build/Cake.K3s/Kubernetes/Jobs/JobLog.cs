using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Jobs;

/// <summary>Shows what the pods of a Job log, as it comes, whichever pods the Job makes.</summary>
/// <param name="reporter">Shows it.</param>
/// <param name="source">What it is about, e.g. <c>migrate</c>.</param>
internal sealed class JobLog(IReporter reporter, string source)
{
    private const string JobLabel = "batch.kubernetes.io/job-name";
    private static readonly GroupVersionKind Pods = new("", "v1", "Pod");

    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>All lines so far.</summary>
    public ImmutableArray<string> Lines => [.. _lines];

    /// <summary>Follows until it is cancelled.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="job">The Job.</param>
    /// <param name="finished">Cancelled once the Job has ended: then no new container is waited for, and what was logged is read to its end.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public async Task FollowAsync(ClusterApi api, ObjectKey job, CancellationToken finished, CancellationToken cancellationToken)
    {
        var readers = new Dictionary<string, Task>(StringComparer.Ordinal);
        var options = new ListOptions { LabelSelector = $"{JobLabel}={job.Name}" };
        using var either = CancellationTokenSource.CreateLinkedTokenSource(finished, cancellationToken);
        try
        {
            await foreach (var change in api.WatchAsync(Pods, job.Namespace, options, either.Token))
            {
                Begin(change.Object);
            }
        }
        catch (OperationCanceledException) when (finished.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The Job has ended. One that is quick ends before this watch has told of its pods.
            foreach (var pod in (await api.ListAsync(Pods, job.Namespace, options, cancellationToken)).Items)
            {
                Begin(pod);
            }
        }

        await Task.WhenAll(readers.Values);

        void Begin(JsonObject? pod)
        {
            foreach (var status in pod.ContainerStatuses())
            {
                var hasLog = status.At("state", "running") is not null || status.At("state", "terminated") is not null;
                var id = $"{pod.Uid()}/{status.Text("name")}/{status.Number("restartCount")}";
                if (hasLog && !readers.ContainsKey(id))
                {
                    readers[id] = ReadAsync(api, job.Namespace!, pod.ObjectName()!, status.Text("name")!, cancellationToken);
                }
            }
        }
    }

    /// <summary>Reads what the pods of a Job that has ended logged.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="job">The Job.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task ReadAsync(ClusterApi api, ObjectKey job, CancellationToken cancellationToken)
    {
        var pods = await api.ListAsync(
            Pods, job.Namespace, new() { LabelSelector = $"{JobLabel}={job.Name}" }, cancellationToken);
        foreach (var pod in pods.Items)
        {
            foreach (var status in pod.ContainerStatuses().Where(status => status.At("state", "terminated") is not null))
            {
                await ReadAsync(api, job.Namespace!, pod.ObjectName()!, status.Text("name")!, cancellationToken);
            }
        }
    }

    private async Task ReadAsync(ClusterApi api, string namespaceName, string pod, string container, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var line in api.LogsAsync(namespaceName, pod, new() { Container = container, Follow = true }, cancellationToken))
            {
                _lines.Enqueue(line);
                reporter.Output(source, line);
            }
        }
        catch (KubernetesApiException e)
        {
            // The pod may be gone already; the verdict does not hang on its log.
            reporter.Warning(source, $"the log of pod {pod} cannot be read: {e.ApiMessage}");
        }
    }
}

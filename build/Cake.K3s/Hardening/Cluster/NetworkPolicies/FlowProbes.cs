using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Tries connections from short-lived pods.</summary>
internal sealed class FlowProbes(ClusterApi api, string image)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly GroupVersionKind PodType = new("", "v1", "Pod");

    /// <summary>Tries connections from a pod with the labels of a workload.</summary>
    /// <param name="name">What the name of the Job begins with that is made for it, and removed at the end.</param>
    /// <param name="ns">The namespace.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="targets">What to connect to.</param>
    /// <param name="node">The node on whose network it runs; null for a pod's own.</param>
    /// <param name="cancellationToken">Ends it; the Job is removed all the same.</param>
    /// <returns>The pod's address, and for each target whether it was reached; null for one that could not be tried.</returns>
    /// <exception cref="K3sException">The pod did not run.</exception>
    public async Task<(IPAddress Address, ImmutableArray<bool?> Reached)> TryAsync(
        string name, string ns, ImmutableDictionary<string, string> labels, IReadOnlyList<FlowTarget> targets, string? node, CancellationToken cancellationToken)
    {
        // A name of its own: the Job of an earlier run may still be on its way out.
        name = $"{name}-{Guid.NewGuid():N}"[..Math.Min(name.Length + 6, 60)];
        var job = ProbeJob.Of(name, ns, labels, targets, image, node);
        try
        {
            await api.CreateAsync(job, cancellationToken);
            var pod = await EndAsync(name, ns, cancellationToken);
            var lines = new List<string>();
            await foreach (var line in api.LogsAsync(ns, pod.ObjectName()!, null, cancellationToken))
            {
                lines.Add(line);
            }

            var reached = ProbeJob.Read(lines);
            return (
                IPAddress.Parse(pod.Text("status", "podIP") ?? "0.0.0.0"),
                [.. targets.Select((_, number) => reached.TryGetValue(number, out var isOpen) ? isOpen : (bool?)null)]);
        }
        finally
        {
            // Also when the run is cancelled.
            await api.DeleteAsync(ObjectKey.Of(job), CancellationToken.None, new() { GracePeriod = TimeSpan.Zero });
        }
    }

    private async Task<JsonObject> EndAsync(string name, string ns, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        JsonObject? last = null;
        try
        {
            await foreach (var change in api.WatchAsync(PodType, ns, new() { LabelSelector = $"{ProbeJob.Label}={name}" }, either.Token))
            {
                if (change.Object is not { } pod || change.Type == WatchEventType.Deleted)
                {
                    continue;
                }

                last = pod;
                if (pod.Text("status", "phase") is "Succeeded" or "Failed")
                {
                    return pod;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Told below.
        }

        var waiting = last.Objects("status", "containerStatuses").Select(status => status.At("state", "waiting")).FirstOrDefault(state => state is not null);
        throw new K3sException(
            ExitCodes.Failed,
            $"the pod that tries connections did not run within {Patience.TotalSeconds} s: {waiting.Text("reason") ?? last.Text("status", "phase") ?? "it was not made"} {waiting.Text("message")}".TrimEnd(),
            $"see hardening.networkPolicies.probeImage ({image}): kubectl -n {ns} describe job {name}");
    }
}

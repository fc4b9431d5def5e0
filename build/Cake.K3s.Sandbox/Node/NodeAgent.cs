using System.Collections.Concurrent;
using System.Net.Sockets;
using Cake.K3s.Sandbox.Node.Pods;
using Docker.DotNet;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node;

/// <summary>
/// The kubelet of the sandbox: one worker a pod that is bound to this node. When the daemon stops, or is killed, containers keep
/// running; the next agent finds them by their labels.
/// </summary>
internal sealed class NodeAgent(PodDependencies with, ILogger<NodeAgent> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<string, PodWorker> _workers = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pods = with.Cache.Of<V1Pod>();
        _ = with.Cache.Of<V1Service>();
        await with.Cache.SyncedAsync(stoppingToken);
        await RemoveOrphansAsync(pods.Items.Select(pod => pod.Metadata.Uid).ToHashSet(), stoppingToken);
        pods.Changed += Notice;
        foreach (var pod in pods.Items)
        {
            Notice(null, pod);
        }

        try
        {
            await with.Engine.WatchAsync(uid =>
            {
                foreach (var (key, worker) in _workers)
                {
                    if (uid is null || uid == key)
                    {
                        worker.Wake();
                    }
                }
            }, stoppingToken);
        }
        finally
        {
            pods.Changed -= Notice;
            await Task.WhenAll(_workers.Values.Select(worker => worker.DisposeAsync().AsTask()));
        }
    }

    private void Notice(V1Pod? old, V1Pod? pod)
    {
        if (pod is null)
        {
            if (_workers.TryGetValue(old!.Metadata.Uid, out var gone))
            {
                gone.Gone();
            }

            return;
        }

        if (pod.Spec.NodeName != with.Options.NodeName)
        {
            return;
        }

        if (_workers.TryGetValue(pod.Metadata.Uid, out var worker))
        {
            worker.Update(pod);
            return;
        }

        var started = new PodWorker(pod, with);
        if (_workers.TryAdd(pod.Metadata.Uid, started))
        {
            _ = ForgetAsync(pod.Metadata.Uid, started);
        }
        else
        {
            _ = started.DisposeAsync();
        }
    }

    private async Task ForgetAsync(string uid, PodWorker worker)
    {
        await worker.Finished.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_workers.TryRemove(uid, out _))
        {
            await worker.DisposeAsync();
        }
    }

    /// <summary>Removes what is left of pods that were deleted while no agent ran.</summary>
    private async Task RemoveOrphansAsync(HashSet<string> known, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                foreach (var record in (await with.Engine.ListAsync(null, cancellationToken)).Where(record => !known.Contains(record.PodUid)))
                {
                    await with.Engine.RemoveAsync(record.Id, cancellationToken);
                }

                foreach (var uid in with.Volumes.Known().Where(uid => !known.Contains(uid)).ToList())
                {
                    with.Volumes.Remove(uid);
                }

                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TimeoutException or DockerApiException)
            {
                logger.LogWarning(e, "The Docker engine does not answer at {Endpoint}", with.Options.DockerEndpoint);
                await Task.Delay(TimeSpan.FromSeconds(1), with.Time, cancellationToken);
            }
        }
    }
}

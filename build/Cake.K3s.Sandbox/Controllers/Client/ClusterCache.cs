using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>One informer a kind, shared by all controllers and the node.</summary>
internal sealed class ClusterCache(ClusterClient client, ILogger<ClusterCache> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Type, Lazy<(IInformer Informer, Task Run)>> _informers = new();

    /// <summary>The informer of a kind; it starts with its first use.</summary>
    public Informer<T> Of<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        (Informer<T>)_informers.GetOrAdd(typeof(T), _ => new(() =>
        {
            var informer = new Informer<T>(client, logger);
            return (informer, Task.Run(() => informer.RunAsync(_stop.Token)));
        })).Value.Informer;

    /// <summary>Waits until every kind that is in use by now has been listed.</summary>
    public Task SyncedAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_informers.Values.Select(informer => informer.Value.Informer.Synced)).WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_informers.Values.Select(informer => informer.Value.Run)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}

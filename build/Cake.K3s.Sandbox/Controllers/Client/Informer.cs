using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>
/// All objects of a kind, kept current by list and watch. What a controller has written is handed back with <see cref="Observe"/>, so
/// that its next decision sees it although the watch has not told it yet; that takes the place of client-go's expectations.
/// </summary>
internal sealed class Informer<T>(ClusterClient client, ILogger logger) : IInformer
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const int RememberedDeletions = 2000;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, T>> _byNamespace = new();
    private readonly HashSet<string> _deleted = [];
    private readonly Queue<string> _deletedInOrder = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Old and new state of an object; one of them is null when it came or went. Called in order, must not block.</summary>
    public event Action<T?, T?>? Changed;

    public Task Synced => _synced.Task;

    public IEnumerable<T> Items => _byNamespace.Values.SelectMany(items => items.Values);

    public IEnumerable<T> In(string ns) => _byNamespace.TryGetValue(ns, out var items) ? items.Values : [];

    public T? Find(ObjectKey key) =>
        _byNamespace.TryGetValue(key.Namespace, out var items) && items.TryGetValue(key.Name, out var item) ? item : null;

    /// <summary>Takes a state that the API answered to a write; older ones than the known are ignored.</summary>
    public void Observe(T item)
    {
        T? old;
        lock (_gate)
        {
            if (_deleted.Contains(item.Metadata.Uid ?? ""))
            {
                return;
            }

            old = Find(ObjectKey.Of(item));
            if (old is not null && Version(old) >= Version(item))
            {
                return;
            }

            Put(item);
            Changed?.Invoke(old, item);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var version = await RefreshAsync(cancellationToken);
                pause = TimeSpan.FromMilliseconds(50);
                await FollowAsync(version, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ApiException or OperationCanceledException or JsonException)
            {
                logger.LogDebug(e, "Watching {Kind} again in {Pause}", typeof(T).Name, pause);
                await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = TimeSpan.FromMilliseconds(Math.Min(pause.TotalMilliseconds * 2, 5000));
            }
        }
    }

    private async Task FollowAsync(string version, CancellationToken cancellationToken)
    {
        // A watch that ends is continued from the last version; only an error (410 Gone among them) leads to a new list.
        while (true)
        {
            try
            {
                await foreach (var (type, item) in client.WatchAsync<T>(version, cancellationToken))
                {
                    version = item.Metadata.ResourceVersion ?? version;
                    switch (type)
                    {
                        case "DELETED":
                            Remove(item);
                            break;
                        case "ADDED" or "MODIFIED":
                            Observe(item);
                            break;
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException { StatusCode: null } or IOException && !cancellationToken.IsCancellationRequested)
            {
                logger.LogDebug(e, "The watch on {Kind} was cut", typeof(T).Name);
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private async Task<string> RefreshAsync(CancellationToken cancellationToken)
    {
        var (items, version) = await client.ListAsync<T>(cancellationToken);
        var listed = items.Select(ObjectKey.Of).ToHashSet();
        var listVersion = ulong.TryParse(version, CultureInfo.InvariantCulture, out var number) ? number : ulong.MaxValue;
        foreach (var gone in Items.Where(item => !listed.Contains(ObjectKey.Of(item)) && Version(item) <= listVersion).ToList())
        {
            Remove(gone);
        }

        foreach (var item in items)
        {
            Observe(item);
        }

        _synced.TrySetResult();
        return version;
    }

    private void Remove(T item)
    {
        lock (_gate)
        {
            if (_deleted.Add(item.Metadata.Uid ?? ""))
            {
                _deletedInOrder.Enqueue(item.Metadata.Uid ?? "");
                if (_deletedInOrder.Count > RememberedDeletions)
                {
                    _deleted.Remove(_deletedInOrder.Dequeue());
                }
            }

            var key = ObjectKey.Of(item);
            if (Find(key) is { } known && known.Metadata.Uid == item.Metadata.Uid)
            {
                _byNamespace[key.Namespace].TryRemove(key.Name, out _);
                Changed?.Invoke(known, null);
            }
        }
    }

    private void Put(T item)
    {
        var key = ObjectKey.Of(item);
        _byNamespace.GetOrAdd(key.Namespace, _ => new())[key.Name] = item;
    }

    private static ulong Version(T item) =>
        ulong.TryParse(item.Metadata.ResourceVersion, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

/// <summary>An informer of whatever kind.</summary>
internal interface IInformer
{
    /// <summary>Completes when the first list is in.</summary>
    Task Synced { get; }

    Task RunAsync(CancellationToken cancellationToken);
}

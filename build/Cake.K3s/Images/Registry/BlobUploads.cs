using System.Collections.Concurrent;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images.Registry;

/// <summary>The uploads of several images to one registry: a blob that two of them share is sent once and mounted into the other.</summary>
internal sealed class BlobUploads(RegistryClient registry, int parallel) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(parallel);
    private readonly ConcurrentDictionary<Digest, (string Repository, TaskCompletionSource Done)> _first = new();

    /// <summary>Makes sure that a repository holds a blob.</summary>
    /// <returns>The number of bytes that were sent.</returns>
    public async Task<long> PushAsync(string repository, OciDescriptor blob, BlobSource open, CancellationToken cancellationToken)
    {
        var mine = (Repository: repository, Done: new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var first = _first.GetOrAdd(blob.Digest, mine);
        if (first.Done != mine.Done)
        {
            await first.Done.Task.WaitAsync(cancellationToken);
        }

        await _slots.WaitAsync(cancellationToken);
        try
        {
            var mountFrom = first.Repository == repository ? null : first.Repository;
            return await registry.PushBlobAsync(repository, blob, open, mountFrom, cancellationToken);
        }
        finally
        {
            _slots.Release();

            // After a failure as well: whoever waits then finds nothing to mount, and sends it.
            mine.Done.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();
}

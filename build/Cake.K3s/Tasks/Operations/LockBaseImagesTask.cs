using Cake.Frosting;
using Cake.K3s.Images;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Pin base images to the digests that their tags name now, in images.lock.</summary>
[TaskName("LockBaseImages")]
[TaskDescription("Pin base images to the digests that their tags name now, in images.lock.")]
[Needs(Input.Environment)]
public sealed class LockBaseImagesTask(Lazy<BaseImageRefresh> refresh) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => refresh.Value.RefreshAsync();
}

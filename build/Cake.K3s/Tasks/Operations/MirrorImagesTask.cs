using Cake.Frosting;
using Cake.K3s.Images;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Copy the images that were pushed last, with their signatures, to a second registry (--mirror).</summary>
[TaskName("MirrorImages")]
[TaskDescription("Copy the images that were pushed last, with their signatures, to a second registry (--mirror).")]
[Needs(Input.Environment)]
public sealed class MirrorImagesTask(Lazy<ImageMirror> mirror) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => mirror.Value.MirrorAsync();
}

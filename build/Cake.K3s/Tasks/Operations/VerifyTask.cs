using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Tell who signed an image, what it was built from and what is in it.</summary>
[TaskName("Verify")]
[TaskDescription("Tell who signed an image (--image), what it was built from and what is in it.")]
[Needs(Input.Environment)]
[LeavesNoReport]
public sealed class VerifyTask(Lazy<ImageInspector> inspector) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => inspector.Value.VerifyAsync();
}

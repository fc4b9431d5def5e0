using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Sign the digests of the built images, before any registry sees them.</summary>
[TaskName("Sign")]
[TaskDescription("Sign the digests of the built images, before any registry sees them.")]
[Needs(Input.Environment)]
[Requires(Requirement.Environment)]
[RequiresTool(ToolName.Cosign)]
[IsDependentOn(typeof(BuildImageTask))]
public sealed class SignTask(Lazy<ImageSigner> signer) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => signer.Value.SignAsync();
}

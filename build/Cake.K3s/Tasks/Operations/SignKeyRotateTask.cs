using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Replace the signing key; the old one stays accepted until its file is deleted.</summary>
[TaskName("SignKeyRotate")]
[TaskDescription("Replace the signing key; the old one stays accepted until its file is deleted.")]
[Needs(Input.Environment)]
[RequiresTool(ToolName.Cosign)]
public sealed class SignKeyRotateTask(Lazy<SigningKeyPairs> keys) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => keys.Value.RotateAsync();
}

using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Make the key pair that images are signed with.</summary>
[TaskName("SignKeyCreate")]
[TaskDescription("Make the key pair that images are signed with.")]
[Needs(Input.Environment)]
[RequiresTool(ToolName.Cosign)]
public sealed class SignKeyCreateTask(Lazy<SigningKeyPairs> keys) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => keys.Value.CreateAsync();
}

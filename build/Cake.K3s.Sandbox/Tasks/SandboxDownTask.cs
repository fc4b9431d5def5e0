using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Tasks;

namespace Cake.K3s.Sandbox.Tasks;

/// <summary>End the sandbox and take back what it changed on this machine; <c>--purge</c> deletes its data.</summary>
[TaskName("SandboxDown")]
[TaskDescription("End the sandbox and take back what it changed on this machine; --purge deletes its data.")]
[LeavesNoReport]
public sealed class SandboxDownTask(Lazy<SandboxLifecycle> sandbox) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => sandbox.Value.DownAsync(purge: context.Arguments.HasArgument("purge"));
}

using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Tasks;

namespace Cake.K3s.Sandbox.Tasks;

/// <summary>Start the sandbox, or whatever of it is down.</summary>
[TaskName("SandboxUp")]
[TaskDescription("Start the sandbox, or whatever of it is down.")]
[LeavesNoReport]
public sealed class SandboxUpTask(Lazy<SandboxLifecycle> sandbox) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => sandbox.Value.UpAsync();
}

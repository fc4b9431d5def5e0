using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Tasks;

namespace Cake.K3s.Sandbox.Tasks;

/// <summary>Show the parts of the sandbox: version, address, process, health.</summary>
[TaskName("SandboxStatus")]
[TaskDescription("Show the parts of the sandbox: version, address, process, health.")]
[LeavesNoReport]
public sealed class SandboxStatusTask(Lazy<SandboxLifecycle> sandbox) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => sandbox.Value.ShowStatusAsync();
}

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Show what of the hardening is in place, measured now, and change nothing.</summary>
[TaskName("Audit")]
[TaskDescription("Show what of the hardening is in place, measured now, and change nothing.")]
[Needs(Input.Environment)]
public sealed class AuditTask(Lazy<Auditor> auditor) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => auditor.Value.AuditAsync();
}

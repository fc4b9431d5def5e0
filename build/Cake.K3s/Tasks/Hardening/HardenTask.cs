using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Put every control in place, in order, and prove each by its effect.</summary>
[TaskName("Harden")]
[TaskDescription("Put every control in place, in order, and prove each by its effect.")]
[Needs(Input.Environment)]
[RunsAlone]
public sealed class HardenTask(Lazy<Hardener> hardener) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => hardener.Value.HardenAllAsync();
}

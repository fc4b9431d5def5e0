using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Takes the control back that follows the dash of the task's name, e.g. <c>Undo-SshPort</c>.</summary>
[Needs(Input.Environment)]
[RunsAlone]
public abstract class UndoControlTask(Lazy<Hardener> hardener) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => hardener.Value.UndoAsync(HardenControlTask.ControlOf(GetType()));
}

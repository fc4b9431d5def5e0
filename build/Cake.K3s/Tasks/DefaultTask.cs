using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Targets;

namespace Cake.K3s.Tasks;

/// <summary>Shows what there is to run.</summary>
[TaskName("Default")]
[TaskDescription("List the targets with what each does.")]
[LeavesNoReport]
public sealed class DefaultTask(Lazy<TargetList> targets) : FrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override void Run(K3sContext context) => targets.Value.Write();
}

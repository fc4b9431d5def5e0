using Cake.Frosting;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Write all that is needed to build the cluster elsewhere into one archive, encrypted with age (--out=FILE).</summary>
[TaskName("Export")]
[TaskDescription("Write all that is needed to build the cluster elsewhere into one archive, encrypted with age (--out=FILE).")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
[RequiresTool(ToolName.Age)]
public sealed class ExportTask(Lazy<ClusterExport> export) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => export.Value.ExportAsync();
}

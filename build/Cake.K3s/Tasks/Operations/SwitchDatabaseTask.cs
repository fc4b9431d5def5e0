using Cake.Frosting;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Point the app in the cluster at another database (--into=SECRET), which Restore has filled.</summary>
[TaskName("SwitchDatabase")]
[TaskDescription("Point the app in the cluster at another database (--into=SECRET), which Restore has filled.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class SwitchDatabaseTask(Lazy<DatabaseSwitch> databases) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => databases.Value.SwitchAsync();
}

using Cake.Frosting;
using Cake.K3s.Images.Pruning;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show which images no environment needs any more; --confirm deletes them.</summary>
[TaskName("PruneRegistry")]
[TaskDescription("Show which images no environment needs any more; --confirm deletes them.")]
[Needs(Input.Environment)]
[ShowsUnlessConfirmed]
public sealed class PruneRegistryTask(Lazy<RegistryPruner> pruner) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => pruner.Value.PruneAsync();
}

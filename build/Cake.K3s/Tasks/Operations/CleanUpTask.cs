using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Operations.CleanUp;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show what a Docker Swarm left in the repository and on the nodes; --confirm removes it.</summary>
[TaskName("CleanUp")]
[TaskDescription("Show what a Docker Swarm left in the repository and on the nodes; --confirm removes it.")]
[Needs(Input.Environment)]
[ShowsUnlessConfirmed]
[RunsAlone]
public sealed class CleanUpTask(Lazy<OldFiles> files) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => files.Value.CleanUpAsync();
}

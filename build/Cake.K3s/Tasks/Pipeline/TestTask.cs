using Cake.Frosting;
using Cake.K3s.Checks;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Run the test commands of deploy.yaml.</summary>
[TaskName("Test")]
[TaskDescription("Run the test commands of deploy.yaml.")]
[Needs(Input.Environment)]
public sealed class TestTask(Lazy<CheckRunner> checks) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => checks.Value.TestAsync();
}

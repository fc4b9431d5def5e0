using Cake.Frosting;
using Cake.K3s.Checks;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Run the lint commands of deploy.yaml.</summary>
[TaskName("Lint")]
[TaskDescription("Run the lint commands of deploy.yaml.")]
[Needs(Input.Manifests)]
public sealed class LintTask(Lazy<CheckRunner> checks) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => checks.Value.LintAsync();
}

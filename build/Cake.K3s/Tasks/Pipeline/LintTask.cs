using Cake.Frosting;
using Cake.K3s.Checks;
using Cake.K3s.Kubernetes.Linting;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Look for known mistakes in the manifests, and run the lint commands of deploy.yaml.</summary>
[TaskName("Lint")]
[TaskDescription("Look for known mistakes in the manifests, and run the lint commands of deploy.yaml.")]
[Needs(Input.Manifests)]
public sealed class LintTask(Lazy<ManifestLinter> manifests, Lazy<CheckRunner> checks) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        await manifests.Value.LintAsync();
        await checks.Value.LintAsync();
    }
}

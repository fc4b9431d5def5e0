using Cake.Frosting;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Run the lint commands of deploy.yaml.</summary>
[TaskName("Lint")]
[TaskDescription("Run the lint commands of deploy.yaml.")]
[Needs(Input.Manifests)]
public sealed class LintTask : FrostingTask<K3sContext>;

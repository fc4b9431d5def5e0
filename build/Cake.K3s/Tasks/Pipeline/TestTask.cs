using Cake.Frosting;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Run the test commands of deploy.yaml.</summary>
[TaskName("Test")]
[TaskDescription("Run the test commands of deploy.yaml.")]
[Needs(Input.Environment)]
public sealed class TestTask : FrostingTask<K3sContext>;

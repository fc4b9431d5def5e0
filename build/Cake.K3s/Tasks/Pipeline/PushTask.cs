using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Push images and signatures, and last of all the tags that name them.</summary>
[TaskName("Push")]
[TaskDescription("Push images and signatures, and last of all the tags that name them.")]
[Needs(Input.Environment)]
[Requires(Requirement.Registry)]
[IsDependentOn(typeof(LintTask))]
[IsDependentOn(typeof(TestTask))]
[IsDependentOn(typeof(SignTask))]
public sealed class PushTask(Lazy<ImagePusher> pusher) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => pusher.Value.PushAsync();
}

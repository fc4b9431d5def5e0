using Cake.Frosting;
using Cake.K3s.Images;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Build every image that the registry does not have yet, into OCI archives.</summary>
[TaskName("BuildImage")]
[TaskDescription("Build every image that the registry does not have yet, into OCI archives.")]
[Needs(Input.Environment)]
[Requires(Requirement.Environment)]
[RequiresTool(ToolName.Buildx)]
public sealed class BuildImageTask(Lazy<ImageBuilder> builder) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => builder.Value.BuildAsync();
}

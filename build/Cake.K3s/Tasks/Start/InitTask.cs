using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Scaffolding;

namespace Cake.K3s.Tasks.Start;

/// <summary>Write a deploy.yaml for the app in the working directory, by looking at it.</summary>
[TaskName("Init")]
[TaskDescription("Write a deploy.yaml for the app in the working directory (--working), by looking at it.")]
[LeavesNoReport]
public sealed class InitTask(Lazy<AppScaffold> scaffold) : FrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override void Run(K3sContext context) => scaffold.Value.Write();
}

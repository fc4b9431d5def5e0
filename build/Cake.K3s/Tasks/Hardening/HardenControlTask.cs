using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Puts the control in place that follows the dash of the task's name, e.g. <c>Harden-SshPort</c>, and proves it.</summary>
[Needs(Input.Environment)]
[RunsAlone]
public abstract class HardenControlTask(Lazy<Hardener> hardener) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => hardener.Value.HardenAsync(ControlOf(GetType()));

    /// <summary>The control that a task class is about.</summary>
    internal static string ControlOf(Type task) => task.GetCustomAttribute<TaskNameAttribute>()!.Name.Split('-', 2)[1];
}

using Cake.Frosting;
using Cake.K3s.Operations.Uptime;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Look at every check of uptime once, from this machine; a failure is told as notifications say.</summary>
[TaskName("CheckUptime")]
[TaskDescription("Look at every check of uptime once, from this machine; a failure is told as notifications say.")]
[Needs(Input.Environment)]
public sealed class CheckUptimeTask(Lazy<UptimeChecks> checks) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => checks.Value.CheckAsync();
}

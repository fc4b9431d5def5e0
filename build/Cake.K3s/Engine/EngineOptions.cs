using Cake.K3s.Reporting;

namespace Cake.K3s.Engine;

/// <summary>How tasks run beside each other, and to whom they are told.</summary>
/// <param name="Sequential">One after the other, by Cake's own engine.</param>
/// <param name="FailFast">Whether a failure also stops the tasks that do not depend on the failed one.</param>
/// <param name="Stop">Asks running tasks to stop.</param>
/// <param name="Cancellation">Cancelled when no more tasks may start.</param>
/// <param name="Reporter">Is told of each task.</param>
/// <param name="Current">Is told which task runs, for what the task reports.</param>
internal sealed record EngineOptions(
    bool Sequential, bool FailFast, Action Stop, CancellationToken Cancellation, IReporter Reporter, CurrentTask Current);

namespace Cake.K3s.Engine;

/// <summary>How tasks run beside each other.</summary>
/// <param name="Sequential">One after the other, by Cake's own engine.</param>
/// <param name="FailFast">Whether a failure also stops the tasks that do not depend on the failed one.</param>
/// <param name="Stop">Asks running tasks to stop.</param>
/// <param name="Cancellation">Cancelled when no more tasks may start.</param>
internal sealed record EngineOptions(bool Sequential, bool FailFast, Action Stop, CancellationToken Cancellation);

using Cake.Core;

namespace Cake.Frosting;

/// <summary>
/// A task. Derive from <see cref="FrostingTask{T}"/> or <see cref="AsyncFrostingTask{T}"/>; public classes are found in the
/// host's assemblies by themselves.
/// </summary>
public interface IFrostingTask
{
    /// <summary>Why the task is skipped when <see cref="ShouldRun"/> is false; empty for no reason.</summary>
    string SkippedMessage => string.Empty;

    /// <summary>Does the work.</summary>
    /// <param name="context">The run's context.</param>
    Task RunAsync(ICakeContext context);

    /// <summary>Whether the task is needed; asked just before its turn. A target that is not needed fails the run.</summary>
    /// <param name="context">The run's context.</param>
    bool ShouldRun(ICakeContext context);

    /// <summary>Handles an exception of <see cref="RunAsync"/>. The run goes on unless this throws.</summary>
    /// <param name="exception">What the task threw.</param>
    /// <param name="context">The run's context.</param>
    void OnError(Exception exception, ICakeContext context);

    /// <summary>Runs after the task and its error handler, whether it succeeded or not.</summary>
    /// <param name="context">The run's context.</param>
    void Finally(ICakeContext context);
}

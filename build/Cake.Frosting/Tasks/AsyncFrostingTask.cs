using Cake.Core;
using Cake.Frosting.Graph;

namespace Cake.Frosting;

/// <summary>A task whose work is asynchronous, with Cake's own context.</summary>
public abstract class AsyncFrostingTask : AsyncFrostingTask<ICakeContext>;

/// <summary>
/// A task whose work is asynchronous. A public <c>string SkippedMessage</c> property of the derived class says why
/// <see cref="ShouldRun"/> skips it; it is no virtual member here because that would break classes which already declare one.
/// </summary>
/// <typeparam name="T">The type of the context. Where the run's context is another, the task is left out with a warning.</typeparam>
public abstract class AsyncFrostingTask<T> : IFrostingTask
    where T : ICakeContext
{
    string IFrostingTask.SkippedMessage => TaskMembers.SkippedMessageOf(this);

    /// <summary>Does the work; it is awaited.</summary>
    /// <param name="context">The run's context.</param>
    public virtual Task RunAsync(T context) => Task.CompletedTask;

    /// <summary>Whether the task is needed; asked just before its turn. A target that is not needed fails the run.</summary>
    /// <param name="context">The run's context.</param>
    public virtual bool ShouldRun(T context) => true;

    /// <summary>Handles an exception of the task. Where it is overridden, the run goes on unless it throws.</summary>
    /// <param name="exception">What the task threw.</param>
    /// <param name="context">The run's context.</param>
    public virtual void OnError(Exception exception, T context)
    {
    }

    /// <summary>Runs after the task and its error handler, whether it succeeded or not.</summary>
    /// <param name="context">The run's context.</param>
    public virtual void Finally(T context)
    {
    }

    Task IFrostingTask.RunAsync(ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return RunAsync((T)context);
    }

    bool IFrostingTask.ShouldRun(ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ShouldRun((T)context);
    }

    void IFrostingTask.OnError(Exception exception, ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(exception);
        ArgumentNullException.ThrowIfNull(context);
        OnError(exception, (T)context);
    }

    void IFrostingTask.Finally(ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Finally((T)context);
    }
}

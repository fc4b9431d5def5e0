using Cake.Core;

namespace Cake.Frosting;

/// <summary>What is done after each task.</summary>
public interface IFrostingTaskTeardown
{
    /// <summary>Runs after each task, skipped and failed ones included.</summary>
    /// <param name="context">The run's context.</param>
    /// <param name="info">The task, how long it took and how it ended.</param>
    void Teardown(ICakeContext context, ITaskTeardownContext info);
}

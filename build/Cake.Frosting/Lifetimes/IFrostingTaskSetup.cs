using Cake.Core;

namespace Cake.Frosting;

/// <summary>What is done before each task.</summary>
public interface IFrostingTaskSetup
{
    /// <summary>Runs before each task, skipped ones included.</summary>
    /// <param name="context">The run's context.</param>
    /// <param name="info">The task that is about to run.</param>
    void Setup(ICakeContext context, ITaskSetupContext info);
}

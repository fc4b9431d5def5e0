using Cake.Core;

namespace Cake.Frosting;

/// <summary>What is done once, after the last task.</summary>
public interface IFrostingTeardown
{
    /// <summary>Runs after the last task, also after a failure.</summary>
    /// <param name="context">The run's context.</param>
    /// <param name="info">Whether the run succeeded, and what ended it.</param>
    void Teardown(ICakeContext context, ITeardownContext info);
}

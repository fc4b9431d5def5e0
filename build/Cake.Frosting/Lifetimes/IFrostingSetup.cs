using Cake.Core;

namespace Cake.Frosting;

/// <summary>What is done once, before the first task.</summary>
public interface IFrostingSetup
{
    /// <summary>Runs before the first task.</summary>
    /// <param name="context">The run's context.</param>
    /// <param name="info">The target and the tasks that will run.</param>
    void Setup(ICakeContext context, ISetupContext info);
}

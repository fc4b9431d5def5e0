using Cake.Core;

namespace Cake.Frosting;

/// <summary>The context that tasks are given; derive from it to add your own state.</summary>
public class FrostingContext : CakeContextAdapter, IFrostingContext
{
    /// <summary>Wraps Cake's own context.</summary>
    /// <param name="context">Cake's own context.</param>
    public FrostingContext(ICakeContext context)
        : base(context)
    {
    }
}

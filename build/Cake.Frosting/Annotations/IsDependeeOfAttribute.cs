namespace Cake.Frosting;

/// <summary>The task runs before another one, whose runs then include it. Inherited by derived task classes.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependeeOfAttribute : Attribute
{
    /// <summary>Adds a reverse dependency.</summary>
    /// <param name="type">The task that runs afterwards; an <see cref="IFrostingTask"/>.</param>
    public IsDependeeOfAttribute(Type type)
    {
        Task = type;
    }

    /// <summary>The task that runs afterwards.</summary>
    public Type Task { get; }
}

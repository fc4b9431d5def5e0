namespace Cake.Frosting;

/// <summary>The task runs after another one, which a run of this task includes. Inherited by derived task classes.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependentOnAttribute : Attribute
{
    /// <summary>Adds a dependency.</summary>
    /// <param name="type">The task that runs first; an <see cref="IFrostingTask"/>.</param>
    public IsDependentOnAttribute(Type type)
    {
        Task = type;
    }

    /// <summary>The task that runs first.</summary>
    public Type Task { get; }
}

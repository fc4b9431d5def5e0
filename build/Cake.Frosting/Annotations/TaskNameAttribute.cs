namespace Cake.Frosting;

/// <summary>Gives a task another name than its class has. Names are compared without regard to case.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TaskNameAttribute : Attribute
{
    /// <summary>Names the task.</summary>
    /// <param name="name">The name that <c>--target</c> takes and that the report shows.</param>
    public TaskNameAttribute(string name)
    {
        Name = name;
    }

    /// <summary>The name that <c>--target</c> takes and that the report shows.</summary>
    public string Name { get; }
}

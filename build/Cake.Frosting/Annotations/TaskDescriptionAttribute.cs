namespace Cake.Frosting;

/// <summary>Describes a task in <c>--description</c> and <c>--help</c>.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TaskDescriptionAttribute : Attribute
{
    /// <summary>Describes the task.</summary>
    /// <param name="description">One sentence.</param>
    public TaskDescriptionAttribute(string description)
    {
        Description = description;
    }

    /// <summary>One sentence.</summary>
    public string Description { get; }
}

using System.Reflection;

namespace Cake.Frosting.Graph;

/// <summary>What the class of a task says about it; read without making one.</summary>
/// <param name="Type">The class.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Description">One sentence; empty where it has none.</param>
/// <param name="Dependencies">The classes of the tasks that run before it, in the order in which it names them.</param>
/// <param name="Dependees">The classes of the tasks that it asks to run before.</param>
internal sealed record TaskDefinition(
    Type Type, string Name, string Description, IReadOnlyList<Type> Dependencies, IReadOnlyList<Type> Dependees)
{
    /// <summary>Reads the attributes of a class.</summary>
    public static TaskDefinition Of(Type type) => new(
        type,
        NameOf(type),
        type.GetCustomAttribute<TaskDescriptionAttribute>()?.Description ?? string.Empty,
        [.. type.GetCustomAttributes<IsDependentOnAttribute>().Select(attribute => attribute.Task)],
        [.. type.GetCustomAttributes<IsDependeeOfAttribute>().Select(attribute => attribute.Task)]);

    /// <summary>What the task of a class is called.</summary>
    public static string NameOf(Type type) => type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name;

    /// <summary>Whether it does something, instead of only gathering its dependencies.</summary>
    public bool HasAction => TaskMembers.Overrides(Type, "Run") || TaskMembers.Overrides(Type, "RunAsync");
}

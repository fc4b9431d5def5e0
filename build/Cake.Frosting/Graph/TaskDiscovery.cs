using System.Reflection;

namespace Cake.Frosting.Graph;

/// <summary>Finds the task classes of assemblies.</summary>
internal static class TaskDiscovery
{
    /// <summary>The classes that are tasks, and what is wrong with those that look like tasks and are none.</summary>
    public static (IReadOnlyList<Type> Tasks, IReadOnlyList<string> Warnings) Find(IEnumerable<Assembly> assemblies)
    {
        List<Type> tasks = [];
        List<string> warnings = [];
        foreach (var type in assemblies.SelectMany(assembly => assembly.GetTypes()).Where(IsTask))
        {
            if (!type.IsVisible)
            {
                warnings.Add($"The task class '{type.FullName}' is not public, so it is not used.");
            }
            else if (type.ContainsGenericParameters)
            {
                warnings.Add($"The task class '{type.FullName}' is generic, so it is not used. Derive a class from it for each type argument.");
            }
            else
            {
                tasks.Add(type);
            }
        }

        return (tasks, warnings);
    }

    private static bool IsTask(Type type) => type is { IsClass: true, IsAbstract: false } && typeof(IFrostingTask).IsAssignableFrom(type);
}

using System.Collections.Immutable;
using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Tools;

namespace Cake.K3s.Requirements;

/// <summary>What the tasks of a run require, and which of them require it.</summary>
/// <param name="Tools">The external programs, with the names of the tasks that run them.</param>
/// <param name="Servers">What the tasks work on.</param>
internal sealed record RequirementSet(ImmutableSortedDictionary<ToolName, string> Tools, ImmutableHashSet<Requirement> Servers)
{
    /// <summary>Reads the attributes of the tasks' classes.</summary>
    public static RequirementSet Of(IReadOnlyCollection<Type> tasks) => new(
        tasks
            .SelectMany(task => task.GetCustomAttributes<RequiresToolAttribute>().Select(required => (required.Tool, Task: NameOf(task))))
            .GroupBy(required => required.Tool)
            .ToImmutableSortedDictionary(
                group => group.Key,
                group => (group.Count() == 1 ? "task " : "tasks ") + string.Join(", ", group.Select(required => required.Task).Order(StringComparer.Ordinal))),
        [.. tasks.SelectMany(task => task.GetCustomAttributes<RequiresAttribute>()).Select(required => required.Requirement)]);

    private static string NameOf(Type task) => task.GetCustomAttribute<TaskNameAttribute>()?.Name ?? task.Name;
}

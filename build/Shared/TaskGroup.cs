using System.Reflection;
using Cake.Frosting;

namespace Cake.Shared;

/// <summary>Where a task stands in a list that people read. Compiled into each assembly that needs it.</summary>
internal static class TaskGroup
{
    /// <summary>The group: the last part of the namespace that says something; a caller's own tasks have theirs.</summary>
    public static string Of(Type task) => task.Namespace?.Split('.').LastOrDefault(part => part != "Tasks") ?? "Tasks";

    /// <summary>Tasks by group, the pipeline first, and in each group in the order in which a pipeline is read.</summary>
    public static IEnumerable<IGrouping<string, T>> InOrder<T>(IEnumerable<T> tasks, Func<T, Type> type, Func<T, string> name) => tasks
        .OrderBy(task => Depth(type(task)))
        .ThenBy(name, StringComparer.Ordinal)
        .GroupBy(task => Of(type(task)))
        .OrderBy(group => group.Key == "Pipeline" ? 0 : group.Key == "Start" ? 1 : 2)
        .ThenBy(group => group.Key, StringComparer.Ordinal);

    // The longest way to a task without dependencies. A cycle is told by the engine; here it ends at a depth that no real pipeline has.
    private static int Depth(Type type, int above = 0) => above == 100 ? 0 : type
        .GetCustomAttributes<IsDependentOnAttribute>()
        .Select(dependency => Depth(dependency.Task, above + 1) + 1)
        .DefaultIfEmpty(0)
        .Max();
}

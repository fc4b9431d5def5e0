using System.Collections.Immutable;
using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Tasks;

namespace Cake.K3s.Targets;

/// <summary>A task as an operator sees it.</summary>
/// <param name="Type">Its class.</param>
/// <param name="Name">What <c>--target</c> names it by.</param>
/// <param name="Description">What it does, as a sentence.</param>
internal sealed record Target(Type Type, string Name, string Description)
{
    /// <summary>The targets that run before it.</summary>
    public ImmutableArray<string> Dependencies => [.. Type.GetCustomAttributes<IsDependentOnAttribute>().Select(dependency => NameOf(dependency.Task))];

    /// <summary>All but the one that lists them.</summary>
    public static IReadOnlyList<Target> AllOf(IEnumerable<Type> tasks) =>
        [.. tasks.Where(type => type != typeof(DefaultTask)).Select(type => new Target(type, NameOf(type), type.GetCustomAttribute<TaskDescriptionAttribute>()?.Description ?? ""))];

    /// <summary>A task's name.</summary>
    public static string NameOf(Type task) => task.GetCustomAttribute<TaskNameAttribute>()?.Name ?? task.Name;
}

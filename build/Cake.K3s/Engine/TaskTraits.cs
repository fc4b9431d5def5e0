using System.Reflection;
using Cake.Frosting;

namespace Cake.K3s.Engine;

/// <summary>What the classes of tasks say to the engine, which itself knows only names.</summary>
/// <param name="FollowUps">Task names and the names of what follows them.</param>
/// <param name="RunAlone">The names of the tasks beside which no other one runs.</param>
internal sealed record TaskTraits(ILookup<string, string> FollowUps, IReadOnlySet<string> RunAlone)
{
    /// <summary>Reads the attributes of task classes.</summary>
    public static TaskTraits Of(IEnumerable<Type> taskTypes)
    {
        var types = taskTypes.ToList();
        var followUps = from type in types
                        from followedBy in type.GetCustomAttributes<FollowedByAttribute>()
                        select (Task: NameOf(type), FollowUp: NameOf(followedBy.Task));
        var runAlone = types.Where(type => type.IsDefined(typeof(RunsAloneAttribute))).Select(NameOf);
        return new(
            followUps.ToLookup(pair => pair.Task, pair => pair.FollowUp, StringComparer.OrdinalIgnoreCase),
            runAlone.ToHashSet(StringComparer.OrdinalIgnoreCase));
    }

    private static string NameOf(Type task) => task.GetCustomAttribute<TaskNameAttribute>()?.Name ?? task.Name;
}

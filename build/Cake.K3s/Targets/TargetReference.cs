using System.Globalization;
using System.Reflection;
using System.Text;
using Cake.K3s.Engine;
using Cake.K3s.Hosting;
using Cake.K3s.Requirements;
using Cake.K3s.Settings.Schema;
using Cake.Shared;

namespace Cake.K3s.Targets;

/// <summary>The reference page of targets and switches.</summary>
internal static class TargetReference
{
    /// <summary>The text of the page.</summary>
    /// <param name="tasks">The classes of the tasks.</param>
    public static string Write(IEnumerable<Type> tasks)
    {
        var text = new StringBuilder();
        Append(text, $"# Targets\n\n{ReferencePage.Mark}\n\n");
        text.Append("`./build.sh --target=NAME` runs a target and all that it depends on, what is independent at the same time. `--tree` shows the\n");
        text.Append("whole graph, `--dryrun` what a target would run. Before the first task starts, everything that the tasks need is made sure of.\n");
        foreach (var group in TaskGroup.InOrder(Target.AllOf(tasks), target => target.Type, target => target.Name))
        {
            Append(text, $"\n## {group.Key}\n\n| target | | runs after | needs |\n|---|---|---|---|\n");
            foreach (var target in group)
            {
                var followUps = target.Type.GetCustomAttributes<FollowedByAttribute>().Select(followed => Target.NameOf(followed.Task)).ToList();
                var description = target.Description + (followUps.Count == 0 ? "" : $" It is followed by {string.Join(", ", followUps)}.");
                Append(text, $"| `{target.Name}` | {description.Replace("|", "\\|", StringComparison.Ordinal)} | {string.Join(", ", target.Dependencies)} | {Needs(target.Type)} |\n");
            }
        }

        text.Append("\n## Switches\n\n| switch | |\n|---|---|\n");
        foreach (var known in Switches.Everything)
        {
            Append(text, $"| `--{known.Name}{(known.Value is null ? "" : "=" + known.Value.Replace("|", "\\|", StringComparison.Ordinal))}` | {known.Meaning} |\n");
        }

        return text.ToString();
    }

    private static string Needs(Type task) => string.Join(", ", task.GetCustomAttributes<RequiresAttribute>().Select(required => required.Requirement.ToString().ToLowerInvariant())
        .Concat(task.GetCustomAttributes<RequiresToolAttribute>().Select(required => required.Tool.ToString().ToLowerInvariant()))
        .Order(StringComparer.Ordinal));

    private static void Append(StringBuilder text, FormattableString value) => text.Append(value.ToString(CultureInfo.InvariantCulture));
}

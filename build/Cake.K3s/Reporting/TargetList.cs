using System.Reflection;
using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Tasks;

namespace Cake.K3s.Reporting;

/// <summary>The targets by group, each with one line, and the switches: what a bare <c>./build.sh</c> shows.</summary>
public sealed class TargetList(IEnumerable<IFrostingTask> tasks, IConsole console)
{
    /// <summary>Writes the list.</summary>
    public void Write()
    {
        var targets = tasks.Select(task => task.GetType()).Where(type => type != typeof(DefaultTask)).Select(Target.Of).ToList();
        var width = targets.Max(target => target.Name.Length) + 2;
        foreach (var group in targets.GroupBy(target => target.Group).OrderBy(group => group.Key == "Pipeline" ? 0 : 1))
        {
            console.WriteLine(group.Key);
            foreach (var target in group.OrderBy(target => target.Depth).ThenBy(target => target.Name, StringComparer.Ordinal))
            {
                console.WriteLine($"  {target.Name.PadRight(width)}{target.Description}");
            }

            console.WriteLine("");
        }

        console.WriteLine("Switches");
        foreach (var known in Switches.All)
        {
            console.WriteLine($"  {Form(known).PadRight(30)}{known.Meaning}");
        }

        console.WriteLine("");
        console.WriteLine("Examples");
        console.WriteLine("  ./build.sh --target=Deploy");
        console.WriteLine("  ./build.sh --target=Plan --environment=production");
    }

    private static string Form(Switch known) => known.Value is null ? $"--{known.Name}" : $"--{known.Name}={known.Value}";

    // Depth is the length of the longest way to a target without dependencies: the order in which a pipeline is read.
    private sealed record Target(string Name, string Description, string Group, int Depth)
    {
        public static Target Of(Type type) => new(
            type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name,
            type.GetCustomAttribute<TaskDescriptionAttribute>()?.Description ?? "",
            GroupOf(type),
            DepthOf(type));

        // The last part of the namespace that says something: Pipeline, Operations, Sandbox; a caller's own tasks have theirs.
        private static string GroupOf(Type type) => type.Namespace?.Split('.').LastOrDefault(part => part != "Tasks") ?? "Tasks";

        // A cycle is told by the engine; here it ends at a depth that no real pipeline has.
        private static int DepthOf(Type type, int above = 0) => above == 100 ? 0 : type
            .GetCustomAttributes<IsDependentOnAttribute>()
            .Select(dependency => DepthOf(dependency.Task, above + 1) + 1)
            .DefaultIfEmpty(0)
            .Max();
    }
}

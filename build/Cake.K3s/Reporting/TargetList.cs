using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Hosting;

namespace Cake.K3s.Reporting;

/// <summary>The targets by group, each with one line, and the switches: what a bare <c>./build.sh</c> shows.</summary>
public sealed class TargetList(IEnumerable<IFrostingTask> tasks, IConsole console)
{
    /// <summary>Writes the list.</summary>
    public void Write()
    {
        var targets = tasks.Select(task => Target.Of(task.GetType())).ToList();
        var width = targets.Max(target => target.Name.Length) + 2;
        foreach (var group in targets.GroupBy(target => target.Group))
        {
            console.WriteLine(group.Key);
            foreach (var target in group)
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

    private sealed record Target(string Name, string Description, string Group)
    {
        // The group is the last part of the namespace: Pipeline, Operations, Hardening; a caller's own tasks have theirs.
        public static Target Of(Type type) => new(
            Attribute<TaskNameAttribute>(type)?.Name ?? type.Name,
            Attribute<TaskDescriptionAttribute>(type)?.Description ?? "",
            type.Namespace?.Split('.')[^1] ?? "Tasks");

        private static T? Attribute<T>(Type type)
            where T : Attribute => (T?)System.Attribute.GetCustomAttribute(type, typeof(T));
    }
}

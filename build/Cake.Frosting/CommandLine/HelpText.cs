using System.Reflection;
using Cake.Core;
using Cake.Frosting.Graph;

namespace Cake.Frosting.CommandLine;

/// <summary>Writes what <c>--help</c> shows.</summary>
internal static class HelpText
{
    public static void Write(IConsole console, IReadOnlyCollection<string> knownArguments, IReadOnlyList<TaskDefinition> tasks)
    {
        var program = Assembly.GetEntryAssembly()?.GetName().Name ?? "build";
        console.WriteLine($"Usage: {program} [switches]");
        console.WriteLine(string.Empty);
        console.WriteLine($"  {program} --target=Default");
        console.WriteLine($"  {program} --verbosity quiet");
        console.WriteLine($"  {program} --tree");
        console.WriteLine(string.Empty);
        console.WriteLine("Switches:");
        WriteColumns(console, HostSwitch.All.Select(hostSwitch => (Names(hostSwitch), hostSwitch.Summary)));
        if (knownArguments.Count > 0)
        {
            console.WriteLine(string.Empty);
            console.WriteLine("Switches of the tasks:");
            console.WriteLine("  " + string.Join(", ", knownArguments.Select(name => "--" + name)));
        }

        if (tasks.Count > 0)
        {
            console.WriteLine(string.Empty);
            console.WriteLine("Tasks:");
            WriteColumns(console, tasks.Select(task => (task.Name, task.Description)));
        }
    }

    private static string Names(HostSwitch hostSwitch)
    {
        var shortName = Array.Find(hostSwitch.Names, name => name.Length == 2);
        var value = hostSwitch.ValueName is null ? "" : " " + hostSwitch.ValueName;
        return (shortName is null ? "" : shortName + ", ") + hostSwitch.Name + value;
    }

    private static void WriteColumns(IConsole console, IEnumerable<(string Name, string Text)> rows)
    {
        var all = rows.ToList();
        var width = all.Max(row => row.Name.Length) + 2;
        foreach (var (name, text) in all)
        {
            console.WriteLine($"  {name.PadRight(width)}{text}".TrimEnd());
        }
    }
}

using System.Reflection;
using Cake.Core;
using Cake.Frosting.Graph;
using Cake.Shared;

namespace Cake.Frosting.CommandLine;

/// <summary>Writes what <c>--help</c> shows.</summary>
internal static class HelpText
{
    public static void Write(
        IConsole console,
        string? program,
        string? argumentsHelp,
        IReadOnlyCollection<string> knownArguments,
        IReadOnlyList<TaskDefinition> tasks)
    {
        program ??= Assembly.GetEntryAssembly()?.GetName().Name ?? "build";
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
            foreach (var line in (argumentsHelp ?? "  " + string.Join(", ", knownArguments.Select(name => "--" + name))).Split('\n'))
            {
                WriteLine(console, line);
            }
        }

        if (tasks.Count == 0)
        {
            return;
        }

        // One group needs no name of its own.
        var groups = TaskGroup.InOrder(tasks.Index(), task => task.Item.Type, task => task.Item.Name).ToList();
        var width = tasks.Max(task => task.Name.Length) + 2;
        foreach (var group in groups)
        {
            console.WriteLine(string.Empty);
            console.WriteLine(groups.Count == 1 ? "Tasks:" : group.Key + ":");
            foreach (var (_, task) in groups.Count == 1 ? group.OrderBy(task => task.Index) : group.AsEnumerable())
            {
                WriteLine(console, $"  {task.Name.PadRight(width)}{task.Description}");
            }
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
            WriteLine(console, $"  {name.PadRight(width)}{text}");
        }
    }

    private static void WriteLine(IConsole console, string line)
    {
        foreach (var fitting in HangingLines.Fit(line.TrimEnd(), HangingLines.TerminalWidth()))
        {
            console.WriteLine("{0}", fitting);
        }
    }
}

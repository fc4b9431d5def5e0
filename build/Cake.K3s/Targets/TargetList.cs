using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.Shared;

namespace Cake.K3s.Targets;

/// <summary>The targets by group, each with one line, and the switches: what a bare <c>./build.sh</c> shows.</summary>
public sealed class TargetList
{
    private readonly IEnumerable<IFrostingTask> _tasks;
    private readonly RunOptions _options;
    private readonly EnvironmentNames _environments;
    private readonly IConsole _console;

    internal TargetList(IEnumerable<IFrostingTask> tasks, RunOptions options, EnvironmentNames environments, IConsole console)
    {
        _tasks = tasks;
        _options = options;
        _environments = environments;
        _console = console;
    }

    /// <summary>Writes the list, or with <c>--completion</c> the script that completes it in a shell.</summary>
    /// <exception cref="K3sException">There is no such shell (exit code 2).</exception>
    public void Write()
    {
        var targets = Target.AllOf(_tasks.Select(task => task.GetType()));
        var text = _options.Completion is { } shell
            ? ShellCompletion.Script(shell, [.. targets.Select(target => target.Name)], _environments.Read())
            : string.Join('\n', Text(targets).Split('\n').SelectMany(line => HangingLines.Fit(line, HangingLines.TerminalWidth())));
        _console.WriteLine("{0}", text.TrimEnd());
    }

    /// <summary>The list.</summary>
    internal static string Text(IReadOnlyList<Target> targets)
    {
        var lines = new List<string>();
        var width = targets.Max(target => target.Name.Length) + 2;
        foreach (var group in TaskGroup.InOrder(targets, target => target.Type, target => target.Name))
        {
            lines.Add(group.Key);
            lines.AddRange(group.Select(target => $"  {target.Name.PadRight(width)}{target.Description}"));
            lines.Add("");
        }

        lines.Add("Switches");
        lines.AddRange(Switches.Help);
        return string.Join('\n', lines);
    }
}

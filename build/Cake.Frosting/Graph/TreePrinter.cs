using Cake.Core;

namespace Cake.Frosting.Graph;

/// <summary>Writes what <c>--tree</c> shows: each task that no other one needs, with what runs before it below.</summary>
internal sealed class TreePrinter(IConsole console, TaskGraph graph)
{
    public void Write()
    {
        console.WriteLine(string.Empty);
        foreach (var root in graph.Roots)
        {
            WriteName(root.Name, ConsoleColor.Cyan);
            WriteDependencies(root, string.Empty);
            console.WriteLine(string.Empty);
        }
    }

    private void WriteDependencies(TaskDefinition task, string indent)
    {
        var dependencies = graph.DependenciesOf(task);
        for (var i = 0; i < dependencies.Count; i++)
        {
            var isLast = i == dependencies.Count - 1;
            console.Write(indent + (isLast ? "└─" : "├─"));
            WriteName(dependencies[i].Name, dependencies[i].HasAction ? ConsoleColor.Green : ConsoleColor.Gray);
            WriteDependencies(dependencies[i], indent + (isLast ? "  " : "│ "));
        }
    }

    private void WriteName(string name, ConsoleColor color)
    {
        var original = console.ForegroundColor;
        console.ForegroundColor = color;
        console.WriteLine(name);
        console.ForegroundColor = original;
    }
}

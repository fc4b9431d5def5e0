using Cake.Core;

namespace Cake.Frosting.Graph;

/// <summary>Writes what <c>--description</c> shows.</summary>
internal static class DescriptionPrinter
{
    public static void Write(IConsole console, TaskGraph graph)
    {
        var width = graph.Tasks.Select(task => task.Name.Length).Append(29).Max() + 1;
        console.WriteLine(string.Empty);
        console.WriteLine("Task".PadRight(width) + "Description");
        console.WriteLine(new string('=', width + 50));
        foreach (var task in graph.Tasks)
        {
            console.WriteLine((task.Name.PadRight(width) + task.Description).TrimEnd());
        }
    }
}

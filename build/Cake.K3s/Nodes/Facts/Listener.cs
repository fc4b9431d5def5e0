using System.Globalization;

namespace Cake.K3s.Nodes.Facts;

/// <summary>Something that listens on a TCP port, as <c>ss -Hltnp</c> prints it.</summary>
/// <param name="Port">The port.</param>
/// <param name="Program">The program's name.</param>
/// <param name="Line">The whole line.</param>
internal sealed record Listener(int Port, string Program, string Line)
{
    /// <summary>Reads what listens on a node into <c>$listeners</c>: <c>ss</c> looks through all processes for it.</summary>
    public const string SharedScript = "listeners=$(ss -Hltnp)";

    /// <summary>Reads a line; null where it is none.</summary>
    public static Listener? Parse(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4 || !int.TryParse(words[3][(words[3].LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return null;
        }

        var program = line.Split('"') is [_, var name, ..] ? name : "another program";
        return new Listener(port, program, line);
    }
}

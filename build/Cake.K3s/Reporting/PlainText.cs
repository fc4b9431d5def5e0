using System.Buffers;
using System.Text.RegularExpressions;

namespace Cake.K3s.Reporting;

/// <summary>Text of programs without what is meant for a terminal: it goes into logs, reports and comments as well.</summary>
internal static partial class PlainText
{
    private static readonly SearchValues<char> Controls = SearchValues.Create([.. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(char.IsControl)]);

    /// <summary>The text without escape sequences and control characters; line ends and tabs stay. Of what was written over by a carriage return the last stays.</summary>
    public static string Of(string text) =>
        text.AsSpan().ContainsAny(Controls) ? OtherControls().Replace(Overwritten().Replace(Sequences().Replace(text, ""), ""), "") : text;

    // ECMA-48: control sequences, operating system commands, and what else begins with an escape.
    [GeneratedRegex(@"\x1B\[[0-?]*[ -/]*[@-~]|\x1B\][^\x07\x1B]*(\x07|\x1B\\)|\x1B[ -/]+[0-~]|\x1B[^\[\]]|\x1B")]
    private static partial Regex Sequences();

    [GeneratedRegex(@"[^\r\n]*\r+(?=[^\r\n])|\r")]
    private static partial Regex Overwritten();

    [GeneratedRegex(@"[\x00-\x08\x0B-\x1F\x7F-\x9F]")]
    private static partial Regex OtherControls();
}

using System.Text;

namespace Cake.K3s.Nodes;

/// <summary>Text for a POSIX shell.</summary>
internal static class ShellText
{
    /// <summary>One word that the shell takes as it is.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// A script for standard input that does nothing before all of it has arrived, and whose commands cannot read the rest of it
    /// by mistake.
    /// </summary>
    public static string Whole(string script) => $$"""
        main() {
        {{script}}
        }
        main "$@" </dev/null
        exit $?

        """;

    /// <summary>Any bytes as base64, in lines that a here-document may hold.</summary>
    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n");
}

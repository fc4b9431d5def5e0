using Cake.K3s.Settings;
using CsCheck;

namespace Cake.K3s.Tests.Settings;

public sealed class SettingsReaderPropertyTests
{
    private static readonly string[] Lines = ExampleSettings.Text.Split('\n');

    // What YAML gives a meaning to, and what no text expects.
    private static readonly string[] Snippets =
    [
        ":", "-", "- ", "{", "}", "[", "]", ",", "#", "&a", "*a", "!!int", "!", "|", ">", "%", "@", "`", "\"", "'", "\\", "\\x", "? ", "<<: *a",
        "---", "...", "\t", "\r", "\n", "\0", "\uFEFF", "\uD800", "é", "null", "~", "0x1F", "1e9", "99999999999999999999", "  ", "$", "key: value",
    ];

    private static readonly Gen<string> Snippet = Gen.Int[0, Snippets.Length - 1].Select(index => Snippets[index]);

    private static readonly Gen<Func<string, string>> Edit = Gen.OneOf(
        Gen.Select(Gen.Int[0, ExampleSettings.Text.Length], Snippet, (at, snippet) => (Func<string, string>)(text => text.Insert(Math.Min(at, text.Length), snippet))),
        Gen.Select(Gen.Int[0, ExampleSettings.Text.Length], Gen.Int[1, 40], (at, count) => (Func<string, string>)(text => Remove(text, at, count))),
        Gen.Select(Gen.Int[0, Lines.Length - 1], Gen.Int[0, Lines.Length - 1], (from, to) => (Func<string, string>)(text => Copy(text, from, to))),
        Gen.Select(Gen.Int[0, Lines.Length - 1], Gen.Int[0, 9], (at, indent) => (Func<string, string>)(text => Indent(text, at, indent))));

    [Test]
    public void Should_read_it_or_say_where_it_is_wrong_When_a_valid_file_is_edited_at_random()
    {
        Edit.Array[1, 4].Select(edits => edits.Aggregate(ExampleSettings.Text, (text, edit) => edit(text))).Sample(
            text =>
            {
                try
                {
                    _ = SettingsReader.Parse(text, "/app/deploy.yaml", "deploy.yaml");
                    return true;
                }
                catch (SettingsException wrong)
                {
                    return wrong.Line >= 1 && wrong.Column >= 1 && wrong.Line <= text.Split('\n', '\r').Length + 1;
                }
            },
            iter: 500);
    }

    private static string Remove(string text, int at, int count)
    {
        var start = Math.Min(at, text.Length);
        return text.Remove(start, Math.Min(count, text.Length - start));
    }

    private static string Copy(string text, int from, int to)
    {
        var lines = text.Split('\n').ToList();
        lines.Insert(Math.Min(to, lines.Count), lines[Math.Min(from, lines.Count - 1)]);
        return string.Join('\n', lines);
    }

    private static string Indent(string text, int at, int indent)
    {
        var lines = text.Split('\n');
        var line = Math.Min(at, lines.Length - 1);
        lines[line] = new string(' ', indent) + lines[line].TrimStart();
        return string.Join('\n', lines);
    }
}

using Cake.Shared;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Settings;

/// <summary>The text of deploy.yaml as nodes that know their place.</summary>
/// <param name="file">The file, as errors name it.</param>
internal sealed class SettingsNodes(string file)
{
    // Far deeper than any settings; the parser of nodes calls itself for each level.
    private const int DeepestLevel = 50;

    /// <summary>The root of the only document.</summary>
    /// <exception cref="SettingsException">The text is not YAML, or not one document.</exception>
    public YamlNode Parse(string text)
    {
        Check(text);
        var stream = new YamlStream();
        var parser = new Parser(new StringReader(text));
        try
        {
            stream.Load(parser);
        }
        catch (YamlException wrong)
        {
            throw NotYaml(wrong, wrong.Start);
        }
        catch (ArgumentException)
        {
            // The parser lets a ']' pass that closes nothing.
            throw At(parser.Current?.Start ?? Mark.Empty, "this is not YAML: a value was expected here or above");
        }

        return stream.Documents switch
        {
            [var only] => only.RootNode,
            [] => throw new SettingsException(file, 1, 1, "the file is empty, expected at least 'app', 'images' and 'environments'"),
            [_, var second, ..] => throw At(second.RootNode, "a second document begins here, expected one"),
        };
    }

    /// <summary>An error at a node.</summary>
    public SettingsException At(YamlNode node, string problem) => At(node.Start, problem);

    /// <summary>An error at a name that is not among the known ones.</summary>
    public SettingsException Unknown(YamlNode node, string what, string name, IReadOnlyCollection<string> known) =>
        At(node, $"there is no {what} '{name}'; " + (NearestName.Find(name, known) is { } near
            ? $"did you mean '{near}'?"
            : known.Count == 0 ? "there is none at all" : $"known: {string.Join(", ", known)}"));

    // Reads all events first: the loader of nodes neither limits how deep it goes nor says where an alias without an anchor is,
    // and never comes back from one that stands within its own anchor.
    private void Check(string text)
    {
        var parser = new Parser(new StringReader(text));
        var anchors = new HashSet<AnchorName>();
        var open = new Stack<AnchorName>();
        var place = Mark.Empty;
        while (Next(parser, place))
        {
            var read = parser.Current!;
            place = read.Start;
            switch (read.NestingIncrease)
            {
                case > 0 when open.Count == DeepestLevel:
                    throw At(place, "this is nested too deeply");
                case > 0:
                    open.Push(read is NodeEvent node ? node.Anchor : AnchorName.Empty);
                    break;
                case < 0:
                    open.TryPop(out _);
                    break;
            }

            if (read is NodeEvent { Anchor.IsEmpty: false } anchored)
            {
                anchors.Add(anchored.Anchor);
            }
            else if (read is AnchorAlias alias && open.Contains(alias.Value))
            {
                throw At(place, $"'{alias.Value}' contains itself");
            }
            else if (read is AnchorAlias other && !anchors.Contains(other.Value))
            {
                throw At(place, $"there is no anchor '{other.Value}' above");
            }
        }
    }

    private bool Next(Parser parser, Mark before)
    {
        try
        {
            return parser.MoveNext();
        }
        catch (YamlException wrong)
        {
            throw NotYaml(wrong, wrong.Start);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or ArgumentException)
        {
            // What the parser makes of some malformed flow mappings and escapes.
            throw NotYaml(wrong, before);
        }
    }

    private SettingsException NotYaml(Exception wrong, Mark place) =>
        At(place, $"this is not YAML: {(wrong.InnerException is { } inner ? $"{wrong.Message} ({inner.Message})" : wrong.Message)}");

    private SettingsException At(Mark place, string problem) =>
        new(file, Math.Max(1, (int)place.Line), Math.Max(1, (int)place.Column), problem);
}

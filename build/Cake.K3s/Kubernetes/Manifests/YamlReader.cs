using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>
/// Reads YAML into JSON nodes as kubectl does: scalars by <see cref="YamlScalar"/>, anchors, merge keys, many documents a file. Stricter
/// in two things: a member that is said twice is an error, and so is a document that grows beyond reason through its aliases.
/// </summary>
internal sealed class YamlReader
{
    // Kubernetes takes objects of 1.5 MB; bundles of CRDs have a few MB. What is larger was not written by a person.
    private const int LongestFile = 8 << 20;
    private const int MostDocuments = 4_000;
    private const int DeepestNesting = 200;
    private const int MostAliasedNodes = 100_000;

    private readonly SourceMap _map;
    private readonly IParser _parser;
    private readonly Dictionary<AnchorName, JsonNode?> _anchors = [];
    private int _depth;
    private int _aliasedNodes;

    private YamlReader(string text, SourceMap map)
    {
        _map = map;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>The documents of a text that are not empty.</summary>
    /// <exception cref="SettingsException">It is no YAML, or beyond a limit; the message says where.</exception>
    public static List<JsonNode> Read(string text, SourceMap map)
    {
        if (text.Length > LongestFile)
        {
            throw new SettingsException(
                map.File, 0, 0, $"{text.Length / 1048576.0:0.0} MB is too large for a manifest; at most {LongestFile >> 20} MB are read", "split the file");
        }

        var reader = new YamlReader(text, map);
        try
        {
            return reader.Documents();
        }
        catch (YamlException e)
        {
            var line = (int)e.Start.Line;
            throw new SettingsException(map.File, line, (int)e.Start.Column, $"this is not YAML: {Reason(e)}", HintFor(text, line));
        }
    }

    private List<JsonNode> Documents()
    {
        var documents = new List<JsonNode>();
        _parser.Consume<StreamStart>();
        while (!_parser.TryConsume<StreamEnd>(out _))
        {
            var start = _parser.Consume<DocumentStart>();
            _anchors.Clear();
            if (Node() is { } document)
            {
                documents.Add(document);
            }

            _parser.Consume<DocumentEnd>();
            if (documents.Count > MostDocuments)
            {
                throw Error(start.Start, $"more than {MostDocuments} documents in one file", "split the file");
            }
        }

        return documents;
    }

    private JsonNode? Node()
    {
        if (++_depth > DeepestNesting)
        {
            throw Error(_parser.Current!.Start, $"nested more than {DeepestNesting} levels deep");
        }

        JsonNode? node;
        switch (_parser.Current)
        {
            case AnchorAlias alias:
                _parser.MoveNext();
                node = Aliased(alias);
                break;
            case MappingStart mapping:
                node = Mapping(mapping);
                break;
            case SequenceStart sequence:
                node = Sequence(sequence);
                break;
            default:
                node = Scalar(_parser.Consume<Scalar>());
                break;
        }

        _depth--;
        return node;
    }

    private JsonObject Mapping(MappingStart start)
    {
        _parser.Consume<MappingStart>();
        var node = new JsonObject();
        _map.Add(node, start.Start.Line, start.Start.Column);
        var merged = new List<JsonObject>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!.Start;
            var name = MemberName();
            if (name is null)
            {
                merged.AddRange(Merged(at));
                continue;
            }

            var value = Node();
            if (!node.TryAdd(name, value))
            {
                throw Error(at, $"'{name}' is said twice");
            }
        }

        foreach (var (name, value) in merged.SelectMany(source => source))
        {
            if (!node.ContainsKey(name))
            {
                node[name] = Copy(value);
            }
        }

        Remember(start, node);
        return node;
    }

    /// <summary>The next member's name; null for the merge key.</summary>
    private string? MemberName()
    {
        var key = _parser.Current as Scalar ?? throw Error(_parser.Current!.Start, "the name of a member must be text");
        _parser.MoveNext();
        if (key is { Value: "<<", Style: ScalarStyle.Plain })
        {
            return null;
        }

        Remember(key, JsonValue.Create(key.Value));
        return key.Style == ScalarStyle.Plain
            ? YamlScalar.ToMemberName(YamlScalar.Resolve(key.Value)) ?? throw Error(key.Start, "the name of a member must not be null")
            : key.Value;
    }

    private List<JsonObject> Merged(Mark at) => Node() switch
    {
        JsonObject source => [source],
        JsonArray sources when sources.All(source => source is JsonObject) => [.. sources.OfType<JsonObject>()],
        _ => throw Error(at, "'<<' takes an object or a list of objects"),
    };

    private JsonArray Sequence(SequenceStart start)
    {
        _parser.Consume<SequenceStart>();
        var node = new JsonArray();
        _map.Add(node, start.Start.Line, start.Start.Column);
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            node.Add(Node());
        }

        // Only now: a value that contains itself has no end.
        Remember(start, node);
        return node;
    }

    private JsonNode? Scalar(Scalar scalar)
    {
        JsonNode? node;
        try
        {
            node = Value(scalar);
        }
        catch (FormatException e)
        {
            throw Error(scalar.Start, e.Message);
        }

        if (node is not null)
        {
            _map.Add(node, scalar.Start.Line, scalar.Start.Column);
            if (scalar.Style == ScalarStyle.Plain && scalar.Value.Contains("${", StringComparison.Ordinal))
            {
                _map.AddPlain(node);
            }
        }

        Remember(scalar, node);
        return node;
    }

    private static JsonNode? Value(Scalar scalar)
    {
        if (scalar.Tag.IsEmpty)
        {
            return scalar.Style == ScalarStyle.Plain ? YamlScalar.ToJson(YamlScalar.Resolve(scalar.Value)) : JsonValue.Create(scalar.Value);
        }

        switch (scalar.Tag.IsNonSpecific ? "!" : scalar.Tag.Value)
        {
            case "!" or "tag:yaml.org,2002:str":
                return JsonValue.Create(scalar.Value);
            case "tag:yaml.org,2002:binary":
                return JsonValue.Create(Encoding.UTF8.GetString(Convert.FromBase64String(scalar.Value)));
            case "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:null"
                when YamlScalar.Resolve(scalar.Value) is not string:
                return YamlScalar.ToJson(YamlScalar.Resolve(scalar.Value));
            case var tag:
                throw new FormatException($"the tag {tag} does not fit '{scalar.Value}'");
        }
    }

    private void Remember(NodeEvent node, JsonNode? value)
    {
        if (!node.Anchor.IsEmpty)
        {
            _anchors[node.Anchor] = value;
        }
    }

    private JsonNode? Aliased(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value, out var target))
        {
            throw Error(alias.Start, $"there is no anchor '{alias.Value}' above");
        }

        return Copy(target, alias.Start);
    }

    /// <summary>A copy that stands where its original does, so that errors name the line that has to be edited.</summary>
    private JsonNode? Copy(JsonNode? original, Mark? at = null)
    {
        if (++_aliasedNodes > MostAliasedNodes)
        {
            throw Error(at ?? _parser.Current!.Start, "the aliases of this file unfold to more than any manifest needs");
        }

        JsonNode? copy;
        switch (original)
        {
            case JsonObject source:
                var members = new JsonObject();
                foreach (var (name, value) in source)
                {
                    members[name] = Copy(value, at);
                }

                copy = members;
                break;
            case JsonArray source:
                var elements = new JsonArray();
                foreach (var element in source)
                {
                    elements.Add(Copy(element, at));
                }

                copy = elements;
                break;
            default:
                copy = original?.DeepClone();
                break;
        }

        if (original is not null)
        {
            _map.Move(original, copy!);
            if (_map.IsPlain(original))
            {
                _map.AddPlain(copy!);
            }
        }

        return copy;
    }

    private SettingsException Error(Mark at, string problem, string? nextStep = null) =>
        new(_map.File, (int)at.Line, (int)at.Column, problem, nextStep);

    // YamlDotNet puts the place in front of its message.
    private static string Reason(YamlException e) => e.Message.Split("): ", 2) is [_, var reason] ? reason : e.Message;

    private static string? HintFor(string text, int line)
    {
        var atFault = text.Split('\n').ElementAtOrDefault(line - 1) ?? "";
        return atFault.Contains("${", StringComparison.Ordinal) ? "inside { } and [ ] write ${NAME} in quotes"
            : atFault.Contains('\t') ? "indent with spaces, not with tabs"
            : null;
    }
}

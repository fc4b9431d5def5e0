using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>YAML as Kubernetes reads it: plain scalars are booleans, numbers or null where they look like it.</summary>
internal static class YamlBody
{
    private const int MaximumNodes = 200_000;

    /// <exception cref="FormatException">It is not YAML, or its aliases make it too large.</exception>
    public static JsonNode? Read(byte[] yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(Encoding.UTF8.GetString(yaml)));
            var budget = MaximumNodes;
            return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode, ref budget);
        }
        catch (YamlException exception)
        {
            throw new FormatException($"error converting YAML to JSON: yaml: line {exception.Start.Line}: {exception.Message}", exception);
        }
    }

    private static JsonNode? Convert(YamlNode node, ref int budget)
    {
        if (--budget < 0)
        {
            throw new FormatException("error converting YAML to JSON: yaml: document contains excessive aliasing");
        }

        switch (node)
        {
            case YamlMappingNode map:
                var value = new JsonObject();
                foreach (var (key, item) in map.Children)
                {
                    value[(key as YamlScalarNode)?.Value ?? throw new FormatException("error converting YAML to JSON: a key is not a string")]
                        = Convert(item, ref budget);
                }

                return value;
            case YamlSequenceNode list:
                var items = new JsonArray();
                foreach (var item in list.Children)
                {
                    items.Add(Convert(item, ref budget));
                }

                return items;
            case YamlScalarNode scalar:
                return scalar.Style == ScalarStyle.Plain && (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific) ? Plain(scalar.Value ?? "") : JsonValue.Create(scalar.Value);
            default:
                return null;
        }
    }

    private static JsonNode? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => JsonValue.Create(true),
        "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => Octal(text) ?? JsonValue.Create(integer),
        _ when text.StartsWith("0x", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) => JsonValue.Create(hex),
        _ when (char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.') && text.AsSpan().IndexOfAnyExcept("0123456789+-.eE") < 0
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => JsonValue.Create(real),
        _ => JsonValue.Create(text),
    };

    /// <summary>YAML 1.1: a leading zero makes a number octal, which file modes rely on.</summary>
    private static JsonValue? Octal(string text)
    {
        var digits = text.TrimStart('-', '+');
        if (digits.Length < 2 || digits[0] != '0' || digits.AsSpan().IndexOfAnyExcept("01234567") >= 0)
        {
            return null;
        }

        var value = System.Convert.ToInt64(digits, 8);
        return JsonValue.Create(text[0] == '-' ? -value : value);
    }
}

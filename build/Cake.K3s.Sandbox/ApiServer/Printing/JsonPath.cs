using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>The simple JSONPaths of CustomResourceDefinitions: fields, indexes, <c>[*]</c> and <c>[?(@.type=="Ready")]</c>.</summary>
internal static class JsonPath
{
    public static IEnumerable<JsonNode?> Find(JsonNode root, string path)
    {
        IEnumerable<JsonNode?> found = [root];
        var at = 0;
        var text = path.Trim('{', '}');
        while (at < text.Length)
        {
            if (text[at] == '.')
            {
                at++;
            }
            else if (text[at] == '[')
            {
                var end = ClosingBracket(text, at);
                var inside = text[(at + 1)..end];
                found = found.SelectMany(node => Select(node, inside)).ToList();
                at = end + 1;
            }
            else
            {
                var name = Name(text, ref at);
                found = found.SelectMany(node => Field(node, name)).ToList();
            }
        }

        return found.Where(node => node is not null);
    }

    private static string Name(string text, ref int at)
    {
        var name = new System.Text.StringBuilder();
        for (; at < text.Length && text[at] is not ('.' or '['); at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }

            name.Append(text[at]);
        }

        return name.ToString();
    }

    private static int ClosingBracket(string text, int at)
    {
        var end = text[at..].StartsWith("[?", StringComparison.Ordinal) ? text.IndexOf(")]", at, StringComparison.Ordinal) + 1 : text.IndexOf(']', at);
        return end > at ? end : text.Length - 1;
    }

    private static IEnumerable<JsonNode?> Field(JsonNode? node, string name)
    {
        if (name == "*")
        {
            return node is JsonObject all ? all.Select(pair => pair.Value) : [];
        }

        return node is JsonObject map && map[name] is { } value ? [value] : [];
    }

    private static IEnumerable<JsonNode?> Select(JsonNode? node, string inside)
    {
        if (inside.StartsWith('\'') || inside.StartsWith('"'))
        {
            return Field(node, inside.Trim('\'', '"'));
        }

        if (node is not JsonArray list)
        {
            return [];
        }

        if (inside == "*")
        {
            return list;
        }

        if (inside.StartsWith("?(@.", StringComparison.Ordinal) && inside.Split("==", 2) is [var left, var right])
        {
            var field = left["?(@.".Length..].Trim();
            var value = right.TrimEnd(')').Trim().Trim('\'', '"');
            return list.Where(item => item is JsonObject map && map.Text(field) == value);
        }

        return int.TryParse(inside, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index)
            && (index < 0 ? index + list.Count : index) is var position && position >= 0 && position < list.Count
            ? [list[position]]
            : [];
    }
}

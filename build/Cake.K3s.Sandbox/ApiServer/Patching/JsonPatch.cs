using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Patching;

/// <summary>RFC 6902: a list of operations.</summary>
internal static class JsonPatch
{
    private const int MostOperations = 10_000;

    /// <summary>Applies the operations to a copy of an object.</summary>
    /// <exception cref="PatchException">One of them does not fit.</exception>
    public static JsonObject Apply(JsonObject target, JsonArray operations)
    {
        if (operations.Count > MostOperations)
        {
            throw new PatchException($"The allowed maximum operations in a JSON patch is {MostOperations}, got {operations.Count}");
        }

        JsonNode? root = target.DeepClone();
        foreach (var item in operations)
        {
            var operation = item as JsonObject ?? throw new PatchException("an operation is not an object");
            root = Apply(root, operation);
        }

        return root as JsonObject ?? throw new PatchException("the patch leaves no object");
    }

    private static JsonNode? Apply(JsonNode? root, JsonObject operation)
    {
        var path = operation.Text("path") ?? throw new PatchException("an operation has no path");
        switch (operation.Text("op"))
        {
            case "add":
                return Add(root, path, operation["value"]?.DeepClone());
            case "remove":
                return Remove(root, path);
            case "replace":
                Find(root, path, "replace");
                return path.Length == 0 ? operation["value"]?.DeepClone() : Add(Remove(root, path), path, operation["value"]?.DeepClone());
            case "move":
                var from = operation.Text("from") ?? "";
                var moved = Find(root, from, "move")?.DeepClone();
                return Add(Remove(root, from), path, moved);
            case "copy":
                return Add(root, path, Find(root, operation.Text("from") ?? "", "copy")?.DeepClone());
            case "test":
                return Test(root, path, operation["value"]);
            case var other:
                throw new PatchException($"Unexpected kind: {other}");
        }
    }

    private static JsonNode? Test(JsonNode? root, string path, JsonNode? expected)
    {
        JsonNode? found = null;
        try
        {
            found = Find(root, path, "test");
        }
        catch (PatchException) when (expected is null)
        {
            return root;
        }

        return found.SameAs(expected) ? root : throw new PatchException($"testing value {path} failed");
    }

    private static JsonNode? Find(JsonNode? root, string path, string operation)
    {
        var node = root;
        foreach (var step in Steps(path))
        {
            node = node switch
            {
                JsonObject map when map.ContainsKey(step) => map[step],
                JsonArray list when Index(step, list.Count) is { } at && at < list.Count => list[at],
                _ => throw new PatchException($"{operation} operation does not apply: doc is missing path: {path}: missing value"),
            };
        }

        return node;
    }

    private static JsonNode? Add(JsonNode? root, string path, JsonNode? value)
    {
        if (path.Length == 0)
        {
            return value;
        }

        var (parent, last) = Parent(root, path, "add");
        switch (parent)
        {
            case JsonObject map:
                map[last] = value;
                break;
            case JsonArray list when last == "-":
                list.Add(value);
                break;
            case JsonArray list when Index(last, list.Count) is { } at && at <= list.Count:
                list.Insert(at, value);
                break;
            default:
                throw new PatchException($"add operation does not apply: doc is missing path: \"{path}\": missing value");
        }

        return root;
    }

    private static JsonNode? Remove(JsonNode? root, string path)
    {
        var (parent, last) = Parent(root, path, "remove");
        switch (parent)
        {
            case JsonObject map when map.Remove(last):
                return root;
            case JsonArray list when Index(last, list.Count) is { } at && at < list.Count:
                list.RemoveAt(at);
                return root;
            default:
                throw new PatchException($"remove operation does not apply: doc is missing path: \"{path}\": missing value");
        }
    }

    private static (JsonNode? Parent, string Last) Parent(JsonNode? root, string path, string operation)
    {
        var slash = path.LastIndexOf('/');
        if (slash < 0)
        {
            throw new PatchException($"{operation} operation does not apply: doc is missing path: \"{path}\": missing value");
        }

        return (Find(root, path[..slash], operation), Unescape(path[(slash + 1)..]));
    }

    private static IEnumerable<string> Steps(string path) => path.Length == 0 ? [] : path[1..].Split('/').Select(Unescape);

    private static string Unescape(string step)
        => step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    private static int? Index(string step, int count)
        => int.TryParse(step, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var at) && at >= -count ? (at < 0 ? at + count : at) : null;
}

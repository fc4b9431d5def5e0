using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.FieldOwnership;

/// <summary>A step of a path in the notation of <c>fieldsV1</c>: <c>f:name</c>, <c>k:{"name":"web"}</c>, <c>v:"value"</c> or <c>i:0</c>.</summary>
internal readonly record struct PathElement(string Text) : IComparable<PathElement>
{
    public static PathElement Field(string name) => new("f:" + name);

    public static PathElement Value(JsonNode? value) => new("v:" + JsonBody.Text(value));

    /// <summary>An element of a list by its keys, which are written in the order of their names.</summary>
    public static PathElement Key(IEnumerable<(string Name, JsonNode? Value)> keys)
    {
        var value = new JsonObject();
        foreach (var (name, content) in keys.OrderBy(key => key.Name, StringComparer.Ordinal))
        {
            value[name] = content?.DeepClone();
        }

        return new PathElement("k:" + JsonBody.Text(value));
    }

    public bool IsField => Text.StartsWith("f:", StringComparison.Ordinal);

    public bool IsKey => Text.StartsWith("k:", StringComparison.Ordinal);

    /// <summary>The name of a field.</summary>
    public string Name => Text[2..];

    public int CompareTo(PathElement other)
    {
        var order = Rank(Text) - Rank(other.Text);
        return order != 0 ? order : string.CompareOrdinal(Text, other.Text);
    }

    /// <summary>As messages show it: <c>.name</c>, <c>[name="web"]</c>, <c>[="value"]</c>.</summary>
    public override string ToString()
    {
        if (IsField)
        {
            return "." + Name;
        }

        if (!IsKey)
        {
            return Text[0] == 'v' ? $"[={Name}]" : $"[{Name}]";
        }

        try
        {
            return $"[{string.Join(',', JsonBody.ReadObject(Encoding.UTF8.GetBytes(Name)).Select(pair => $"{pair.Key}={JsonBody.Text(pair.Value)}"))}]";
        }
        catch (JsonException)
        {
            return $"[{Name}]";
        }
    }

    private static int Rank(string text) => text[0] switch { 'f' => 0, 'k' => 1, 'v' => 2, _ => 3 };
}

using System.Collections.Frozen;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.Cel;

/// <summary>
/// The values of the language as .NET values: <see langword="null"/>, <see cref="bool"/>, <see cref="long"/>, <see cref="double"/>, <see cref="string"/>,
/// <see cref="DateTimeOffset"/>, <see cref="TimeSpan"/>, lists, maps, <see cref="CelOptional"/>, <see cref="CelType"/> and <see cref="CelQuantity"/>.
/// </summary>
internal static class CelValues
{
    private static readonly FrozenSet<string> TypeNames =
        new[] { "bool", "int", "uint", "double", "string", "list", "map", "null_type", "type" }.ToFrozenSet(StringComparer.Ordinal);

    public static bool IsTypeName(string name) => TypeNames.Contains(name);

    /// <summary>A JSON value as a value of the language.</summary>
    public static object? Of(JsonNode? node)
    {
        switch (node)
        {
            case null:
                return null;
            case JsonObject map:
                return map.ToDictionary(pair => (object)pair.Key, pair => Of(pair.Value));
            case JsonArray list:
                return list.Select(Of).ToList();
            default:
                return node.GetValueKind() switch
                {
                    JsonValueKind.String => node.Text(),
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    _ => node.Integer() is { } whole ? (object)whole : double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture),
                };
        }
    }

    /// <summary>Equality of the language: numbers by value, lists and maps by their content, different types are never equal.</summary>
    public static bool Same(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (long one, double other) => one == other,
        (double one, long other) => one == other,
        (IReadOnlyList<object?> one, IReadOnlyList<object?> other) => one.Count == other.Count && one.Zip(other).All(pair => Same(pair.First, pair.Second)),
        (IReadOnlyDictionary<object, object?> one, IReadOnlyDictionary<object, object?> other) =>
            one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out var theirs) && Same(pair.Value, theirs)),
        (CelOptional one, CelOptional other) => one.HasValue == other.HasValue && Same(one.Value, other.Value),
        _ => Equals(left, right),
    };

    /// <exception cref="CelException">The two cannot be ordered.</exception>
    public static int Compare(object? left, object? right, string sign) => (left, right) switch
    {
        (long one, long other) => one.CompareTo(other),
        (long one, double other) => ((double)one).CompareTo(other),
        (double one, long other) => one.CompareTo((double)other),
        (double one, double other) => one.CompareTo(other),
        (string one, string other) => string.CompareOrdinal(one, other),
        (bool one, bool other) => one.CompareTo(other),
        (DateTimeOffset one, DateTimeOffset other) => one.CompareTo(other),
        (TimeSpan one, TimeSpan other) => one.CompareTo(other),
        (CelQuantity one, CelQuantity other) => one.Nano.CompareTo(other.Nano),
        _ => throw CelException.NoSuchOverload($"{TypeName(left)} {sign} {TypeName(right)}"),
    };

    /// <summary>Whether a list has an item, or a map a key.</summary>
    /// <exception cref="CelException">It is neither.</exception>
    public static bool Contains(object? container, object? item) => container switch
    {
        IReadOnlyList<object?> list => list.Any(one => Same(one, item)),
        IReadOnlyDictionary<object, object?> map => item is not null && map.ContainsKey(item),
        _ => throw CelException.NoSuchOverload($"{TypeName(item)} in {TypeName(container)}"),
    };

    public static string TypeName(object? value) => value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        double => "double",
        string => "string",
        IReadOnlyList<object?> => "list",
        IReadOnlyDictionary<object, object?> => "map",
        DateTimeOffset => "google.protobuf.Timestamp",
        TimeSpan => "google.protobuf.Duration",
        CelOptional => "optional_type",
        CelQuantity => "kubernetes.Quantity",
        CelType => "type",
        _ => "map",
    };

    public static string Text(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable number and long => number.ToString(null, CultureInfo.InvariantCulture),
        DateTimeOffset time => ObjectAccess.Rfc3339(time),
        TimeSpan span => span.TotalSeconds.ToString(CultureInfo.InvariantCulture) + "s",
        IReadOnlyList<object?> list => $"[{string.Join(", ", list.Select(Text))}]",
        IReadOnlyDictionary<object, object?> map => $"{{{string.Join(", ", map.Select(pair => $"{Text(pair.Key)}: {Text(pair.Value)}"))}}}",
        CelType type => type.Name,
        _ => value.ToString() ?? "",
    };
}

/// <summary>A value that may not be there: of <c>a.?b</c> and <c>optional.of</c>.</summary>
internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static CelOptional None { get; } = new(false, null);
}

/// <summary>What <c>type(x)</c> gives.</summary>
internal sealed record CelType(string Name);

/// <summary>A resource quantity, in billionths.</summary>
internal sealed record CelQuantity(BigInteger Nano);

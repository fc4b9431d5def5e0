using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Settings;

/// <summary>Makes settings records of nodes, by reflection over the records; remembers which node each was made of.</summary>
internal sealed class SettingsBinder(SettingsNodes nodes)
{
    private readonly Dictionary<object, YamlNode> _origins = new(ReferenceEqualityComparer.Instance);

    /// <summary>Makes a record.</summary>
    /// <typeparam name="T">The record's type.</typeparam>
    /// <param name="node">What it is made of.</param>
    /// <exception cref="SettingsException">The node is not what the type says; the message says where.</exception>
    public T Bind<T>(YamlNode node) => (T)Record(node, SettingsType.Of(typeof(T)), "deploy.yaml");

    /// <summary>The node that a record was made of.</summary>
    public YamlNode Origin(object record) => _origins[record];

    /// <summary>The node of one key of a record's mapping, or of the whole where the key is not there.</summary>
    public YamlNode Origin(object record, string key) => Child(Origin(record), key).Value;

    /// <summary>The node of a name in a mapping of a record.</summary>
    public YamlNode OriginOfName(object record, string key, string name) => Child(Origin(record, key), name).Key;

    private static KeyValuePair<YamlNode, YamlNode> Child(YamlNode node, string key) =>
        node is YamlMappingNode mapping && mapping.Children.FirstOrDefault(child => child.Key is YamlScalarNode scalar && scalar.Value == key) is { Key: not null } found
            ? found
            : new(node, node);

    private object Value(YamlNode node, SettingsKey key, string path) => Value(node, key.ValueType, key, path);

    private object Value(YamlNode node, Type type, SettingsKey? key, string path)
    {
        if (SettingsType.ElementOfList(type) is { } element)
        {
            return List(node, element, path);
        }

        if (SettingsType.ValueOfMapping(type) is { } value)
        {
            return Mapping(node, value, key, path);
        }

        return SettingsType.IsRecord(type) ? Record(node, SettingsType.Of(type), path) : Scalar(node, type, key, path);
    }

    private object Record(YamlNode node, SettingsType type, string path)
    {
        if (node is YamlScalarNode && !IsNothing(node) && type.ShortForm is { } shortForm)
        {
            return Remember(Make(type, [(shortForm, Value(node, shortForm, path))]), node);
        }

        var values = new List<(SettingsKey Key, object Value)>();
        foreach (var (keyNode, valueNode) in Children(node, path, type.ShortForm is null ? "a mapping" : "text or a mapping"))
        {
            var name = Name(keyNode);
            var key = type.Keys.FirstOrDefault(candidate => candidate.Name == name)
                ?? throw nodes.Unknown(keyNode, $"key in {path}", name, [.. type.Keys.Select(candidate => candidate.Name)]);
            values.Add((key, Value(valueNode, key, path == "deploy.yaml" ? key.Name : $"{path}.{key.Name}")));
        }

        if (type.Keys.FirstOrDefault(key => key.IsRequired && values.All(value => value.Key != key)) is { } missing)
        {
            throw nodes.At(node, $"{path} has no '{missing.Name}', which is required");
        }

        if (!type.ExactlyOneOf.IsEmpty && values.Count(value => type.ExactlyOneOf.Contains(value.Key)) is var set and not 1)
        {
            var options = string.Join(", ", type.ExactlyOneOf.Select(key => $"'{key.Name}'"));
            throw nodes.At(node, $"{path} has {(set == 0 ? "none" : set.ToString(CultureInfo.InvariantCulture))} of {options}, expected exactly one");
        }

        return Remember(Make(type, values), node);
    }

    private static object Make(SettingsType type, IEnumerable<(SettingsKey Key, object Value)> values)
    {
        var record = Activator.CreateInstance(type.Type)!;
        foreach (var (key, value) in values)
        {
            key.Property.SetValue(record, value);
        }

        return record;
    }

    private object Remember(object record, YamlNode node)
    {
        _origins[record] = node;
        return record;
    }

    private object List(YamlNode node, Type element, string path)
    {
        var items = node switch
        {
            YamlSequenceNode sequence => sequence.Children,
            _ when IsNothing(node) => [],
            _ => throw nodes.At(node, $"{path} is {Describe(node)}, expected a list"),
        };
        var array = Array.CreateInstance(element, items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            array.SetValue(Value(items[i], element, null, $"{path}[{i}]"), i);
        }

        return Generic(nameof(ImmutableArrayOf), element, array);
    }

    private object Mapping(YamlNode node, Type value, SettingsKey? key, string path)
    {
        var entries = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (keyNode, valueNode) in Children(node, path, "a mapping"))
        {
            var name = Name(keyNode);
            if (key?.Pattern is { } pattern && !Fits(name, pattern))
            {
                throw nodes.At(keyNode, $"the name '{name}' in {path} is not valid, expected {pattern.Meaning}");
            }

            entries.Add(name, Value(valueNode, value, null, $"{path}.{name}"));
        }

        return Generic(nameof(ImmutableDictionaryOf), value, entries);
    }

    private object Scalar(YamlNode node, Type type, SettingsKey? key, string path)
    {
        if (node is not YamlScalarNode { Value: { } text } || IsNothing(node))
        {
            throw nodes.At(node, $"{path} is {Describe(node)}, expected {Expected(type, key)}");
        }

        return Parse(text, type, key) ?? throw nodes.At(node, $"{path} is '{text}', expected {Expected(type, key)}");
    }

    private static object? Parse(string text, Type type, SettingsKey? key)
    {
        if (type == typeof(string))
        {
            return key?.Pattern is { } pattern && !Fits(text, pattern) ? null : text;
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && (key?.Between is not { } between || (number >= between.Least && number <= between.Greatest))
                    ? number
                    : null;
        }

        if (type == typeof(bool))
        {
            return text switch { "true" or "True" or "TRUE" => true, "false" or "False" or "FALSE" => false, _ => (object?)null };
        }

        if (type == typeof(Duration))
        {
            return Duration.TryParse(text, out var duration) ? duration : null;
        }

        return Enum.GetNames(type).FirstOrDefault(name => SettingsKey.CamelCase(name) == text) is { } member ? Enum.Parse(type, member) : null;
    }

    private static string Expected(Type type, SettingsKey? key) =>
        type == typeof(string) ? key?.Pattern?.Meaning ?? "text"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) ? key?.Between is { } between ? $"a whole number from {between.Least} to {between.Greatest}" : "a whole number"
        : type == typeof(Duration) ? "a duration such as 90s, 5m or 1h30m"
        : "one of " + string.Join(", ", Enum.GetNames(type).Select(SettingsKey.CamelCase));

    private IEnumerable<KeyValuePair<YamlNode, YamlNode>> Children(YamlNode node, string path, string expected) => node switch
    {
        YamlMappingNode mapping => mapping.Children,
        _ when IsNothing(node) => [],
        _ => throw nodes.At(node, $"{path} is {Describe(node)}, expected {expected}"),
    };

    private string Name(YamlNode node) =>
        node is YamlScalarNode { Value: { Length: > 0 } name } ? name : throw nodes.At(node, $"a key is {Describe(node)}, expected a name");

    private static string Describe(YamlNode node) => node switch
    {
        _ when IsNothing(node) => "empty",
        YamlScalarNode scalar => $"'{scalar.Value}'",
        YamlSequenceNode => "a list",
        _ => "a mapping",
    };

    private static bool IsNothing(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    // No '$' at the end of a line within the text: names have one line.
    private static bool Fits(string text, PatternAttribute pattern) =>
        !text.Contains('\n', StringComparison.Ordinal) && Regex.IsMatch(text, pattern.Pattern, RegexOptions.CultureInvariant);

    private static object Generic(string method, Type type, object argument) =>
        typeof(SettingsBinder).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, [argument])!;

    private static ImmutableArray<T> ImmutableArrayOf<T>(Array items) => [.. items.Cast<T>()];

    private static ImmutableDictionary<string, T> ImmutableDictionaryOf<T>(IDictionary entries) =>
        ((IEnumerable<KeyValuePair<string, object>>)entries).ToImmutableDictionary(entry => entry.Key, entry => (T)entry.Value, StringComparer.Ordinal);
}

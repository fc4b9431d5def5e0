using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.FieldOwnership;

/// <summary>
/// What can be done with values whose schema is known, by the rules of structured-merge-diff: which fields there are, what
/// differs, merging, and taking fields away.
/// </summary>
internal static class TypedValue
{
    /// <summary>The fields that a value has.</summary>
    /// <exception cref="TypedValueException">Elements of a list cannot be told apart.</exception>
    public static FieldSet Fields(JsonObject value, Schema schema)
    {
        var set = new FieldSet();
        AddFields(value, schema, set, "");
        return set;
    }

    /// <summary>What a change adds, modifies and removes.</summary>
    public static Comparison Compare(JsonObject old, JsonObject value, Schema schema)
    {
        var result = new Comparison(new FieldSet(), new FieldSet(), new FieldSet());
        CompareMaps(old, value, schema, [], result);
        return result;
    }

    /// <summary>What is live, with what is applied put over it.</summary>
    public static JsonObject Merge(JsonObject live, JsonObject applied, Schema schema) => (JsonObject)MergeValues(live, applied, schema)!;

    /// <summary>Takes fields out of a value, with everything below them; containers that this empties go as well.</summary>
    public static void Remove(JsonObject value, FieldSet fields, Schema schema)
    {
        foreach (var (element, member, below) in fields.Entries)
        {
            if (!element.IsField || !value.TryGetPropertyValue(element.Name, out var content))
            {
                continue;
            }

            if (member)
            {
                value.Remove(element.Name);
                continue;
            }

            switch (content)
            {
                case JsonObject map when below is not null:
                    Remove(map, below, FieldOf(schema, element.Name));
                    if (map.Count == 0 && FieldOf(schema, element.Name).Kind == SchemaKind.Map)
                    {
                        value.Remove(element.Name);
                    }

                    break;
                case JsonArray list when below is not null:
                    RemoveItems(list, below, FieldOf(schema, element.Name));
                    if (list.Count == 0)
                    {
                        value.Remove(element.Name);
                    }

                    break;
            }
        }
    }

    /// <summary>The set with every named field in it that has something in it below: maps and list elements do not count as named.</summary>
    public static FieldSet WithNamedFields(FieldSet set, Schema schema)
    {
        var result = new FieldSet();
        foreach (var (element, member, below) in set.Entries)
        {
            var child = element.IsField ? FieldOf(schema, element.Name) : schema.Element ?? Schema.Any;
            if (member || (element.IsField && below is not null && schema.Object?.Fields.ContainsKey(element.Name) == true))
            {
                result.Add(element);
            }

            if (below is not null)
            {
                var deeper = WithNamedFields(below, child);
                foreach (var path in deeper.Paths())
                {
                    result.EnsureBelow(element).Add(path);
                }
            }
        }

        return result;
    }

    private static void AddFields(JsonObject value, Schema schema, FieldSet set, string path)
    {
        foreach (var (name, content) in value)
        {
            var field = FieldOf(schema, name);
            var element = PathElement.Field(name);
            var known = schema.Object?.Fields.ContainsKey(name) == true;
            switch (content)
            {
                case JsonObject { Count: > 0 } map when IsGranularMap(field):
                    if (!known)
                    {
                        set.Add(element);
                    }

                    AddFields(map, field, set.EnsureBelow(element), $"{path}.{name}");
                    break;
                case JsonArray list when IsGranularList(field):
                    foreach (var (key, item) in Items(list, field, $"{path}.{name}"))
                    {
                        var below = set.EnsureBelow(element);
                        below.Add(key);
                        if (item is JsonObject { Count: > 0 } entry && IsGranularMap(field.Element!))
                        {
                            AddFields(entry, field.Element!, below.EnsureBelow(key), $"{path}.{name}{key}");
                        }
                    }

                    break;
                default:
                    set.Add(element);
                    break;
            }
        }
    }

    private static void CompareMaps(JsonObject? old, JsonObject? value, Schema schema, List<PathElement> path, Comparison result)
    {
        foreach (var (name, content) in value ?? [])
        {
            CompareValues(old?[name], content, FieldOf(schema, name), [.. path, PathElement.Field(name)], result);
        }

        foreach (var (name, content) in old ?? [])
        {
            if (value is null || !value.ContainsKey(name))
            {
                CompareValues(content, null, FieldOf(schema, name), [.. path, PathElement.Field(name)], result);
            }
        }
    }

    private static void CompareValues(JsonNode? old, JsonNode? value, Schema schema, List<PathElement> path, Comparison result)
    {
        if (ReferenceEquals(old, value))
        {
            return;
        }

        if ((old ?? value) is JsonObject && IsGranularMap(schema) && (old is JsonObject or null) && (value is JsonObject or null)
            && !(Empty(old) && Empty(value)))
        {
            if (schema.Kind == SchemaKind.Map || !path[^1].IsField)
            {
                AddContainer(old, value, path, result);
            }

            CompareMaps(old as JsonObject, value as JsonObject, schema, path, result);
            return;
        }

        if ((old ?? value) is JsonArray && IsGranularList(schema) && (old is JsonArray or null) && (value is JsonArray or null)
            && TryItems(old as JsonArray, schema) is { } before && TryItems(value as JsonArray, schema) is { } after)
        {
            AddContainer(old, value, path, result);
            foreach (var (key, item) in after)
            {
                CompareItems(before.GetValueOrDefault(key), item, schema, [.. path, key], result);
            }

            foreach (var (key, item) in before)
            {
                if (!after.ContainsKey(key))
                {
                    CompareItems(item, null, schema, [.. path, key], result);
                }
            }

            return;
        }

        if (old is null)
        {
            result.Added.Add(path);
        }
        else if (value is null)
        {
            result.Removed.Add(path);
        }
        else if (!old.SameAs(value))
        {
            result.Modified.Add(path);
        }
    }

    private static void CompareItems(JsonNode? old, JsonNode? value, Schema list, List<PathElement> path, Comparison result)
    {
        if (list.ListMerge == ListMerge.Set)
        {
            AddContainer(old, value, path, result);
            return;
        }

        if (Empty(old) && Empty(value))
        {
            AddContainer(old, value, path, result);
        }

        CompareValues(old, value, list.Element!, path, result);
    }

    private static void AddContainer(JsonNode? old, JsonNode? value, List<PathElement> path, Comparison result)
    {
        if (old is null && value is not null)
        {
            result.Added.Add(path);
        }
        else if (value is null && old is not null)
        {
            result.Removed.Add(path);
        }
    }

    private static JsonNode? MergeValues(JsonNode? live, JsonNode? applied, Schema schema)
    {
        if (applied is null)
        {
            return live?.DeepClone();
        }

        if (live is JsonObject before && applied is JsonObject after && IsGranularMap(schema))
        {
            var result = new JsonObject();
            foreach (var (name, content) in before)
            {
                result[name] = after.ContainsKey(name) ? MergeValues(content, after[name], FieldOf(schema, name)) : content?.DeepClone();
            }

            foreach (var (name, content) in after)
            {
                if (!before.ContainsKey(name))
                {
                    result[name] = content?.DeepClone();
                }
            }

            return result;
        }

        return live is JsonArray old && applied is JsonArray now && IsGranularList(schema) && TryItems(old, schema) is { } items
            ? MergeLists(items, Items(now, schema, ""), schema)
            : applied.DeepClone();
    }

    /// <summary>What is applied comes in its own order; what only lives keeps its place among the rest as far as that goes.</summary>
    private static JsonArray MergeLists(
        Dictionary<PathElement, JsonNode?> live, List<(PathElement Key, JsonNode? Item)> applied, Schema schema)
    {
        var result = new JsonArray();
        var wanted = applied.Select(item => item.Key).ToHashSet();
        var order = live.Keys.ToList();
        var (left, right) = (0, 0);
        while (left < order.Count || right < applied.Count)
        {
            if (left < order.Count && !wanted.Contains(order[left]))
            {
                result.Add(live[order[left++]]?.DeepClone());
            }
            else if (right < applied.Count)
            {
                var (key, item) = applied[right++];
                result.Add(live.TryGetValue(key, out var present) && schema.ListMerge == ListMerge.Map
                    ? MergeValues(present, item, schema.Element!)
                    : item?.DeepClone());
                while (left < order.Count && wanted.Contains(order[left]) && applied.Take(right).Any(done => done.Key == order[left]))
                {
                    left++;
                }
            }
            else
            {
                left++;
            }
        }

        return result;
    }

    private static void RemoveItems(JsonArray list, FieldSet fields, Schema schema)
    {
        if (!IsGranularList(schema))
        {
            return;
        }

        for (var at = list.Count - 1; at >= 0; at--)
        {
            if (KeyOf(list[at], schema) is not { } key)
            {
                continue;
            }

            if (fields.Contains(key))
            {
                list.RemoveAt(at);
            }
            else if (fields.Below(key) is { } below && list[at] is JsonObject item)
            {
                Remove(item, below, schema.Element!);
            }
        }
    }

    private static Dictionary<PathElement, JsonNode?>? TryItems(JsonArray? list, Schema schema)
    {
        var result = new Dictionary<PathElement, JsonNode?>();
        foreach (var item in list ?? [])
        {
            if (KeyOf(item, schema) is not { } key)
            {
                return null;
            }

            result.TryAdd(key, item);
        }

        return result;
    }

    private static List<(PathElement Key, JsonNode? Item)> Items(JsonArray list, Schema schema, string path)
    {
        var result = new List<(PathElement, JsonNode?)>(list.Count);
        var seen = new HashSet<PathElement>();
        foreach (var item in list)
        {
            var key = KeyOf(item, schema)
                ?? throw new TypedValueException($"{path}: element {result.Count}: associative list with keys has an element that omits key field \"{schema.ListKeys.FirstOrDefault(name => (item as JsonObject)?[name] is null)}\" (and doesn't have default value)");
            if (!seen.Add(key))
            {
                throw new TypedValueException($"{path}: duplicate entries for key {key}");
            }

            result.Add((key, item));
        }

        return result;
    }

    private static PathElement? KeyOf(JsonNode? item, Schema schema)
    {
        if (schema.ListMerge == ListMerge.Set)
        {
            return PathElement.Value(item);
        }

        if (item is not JsonObject map)
        {
            return null;
        }

        var keys = new List<(string, JsonNode?)>(schema.ListKeys.Count);
        foreach (var name in schema.ListKeys)
        {
            var value = map[name] ?? DefaultOfKey(schema, name);
            if (value is not null)
            {
                keys.Add((name, value));
            }
            else if (schema.ListKeys.Count == 1)
            {
                return null;
            }
        }

        return keys.Count == 0 ? null : PathElement.Key(keys);
    }

    /// <summary>A key that is left out has its default; of the built-in keys only the protocol of a port has one.</summary>
    private static JsonNode? DefaultOfKey(Schema list, string name)
        => list.Element?.Object?.Fields.GetValueOrDefault(name)?.Default is { } json ? JsonNode.Parse(json) : name == "protocol" ? JsonValue.Create("TCP") : null;

    private static bool IsGranularMap(Schema schema) => !schema.Atomic && schema.Kind is SchemaKind.Object or SchemaKind.Map or SchemaKind.Any;

    private static bool IsGranularList(Schema schema) => schema.Kind == SchemaKind.List && schema.ListMerge != ListMerge.Atomic;

    private static Schema FieldOf(Schema schema, string name)
        => schema.Object?.Fields.GetValueOrDefault(name) ?? (schema.Kind == SchemaKind.Map ? schema.Element : null) ?? Schema.Any;

    private static bool Empty(JsonNode? value) => value is null or JsonObject { Count: 0 };
}

/// <summary>What a change does to the fields of an object.</summary>
internal sealed record Comparison(FieldSet Added, FieldSet Modified, FieldSet Removed);

/// <summary>A value cannot be merged: elements of a list cannot be told apart.</summary>
internal sealed class TypedValueException(string message) : Exception(message);

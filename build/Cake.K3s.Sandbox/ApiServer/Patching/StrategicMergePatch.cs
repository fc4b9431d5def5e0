using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Patching;

/// <summary>Kubernetes' own merge patch: lists merge by the keys of their elements, and directives say what cannot be said by values.</summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeletePrefix = "$deleteFromPrimitiveList/";
    private const string OrderPrefix = "$setElementOrder/";

    /// <summary>Applies a patch to an object in place.</summary>
    /// <exception cref="PatchException">An element has no merge key, or a directive is not known.</exception>
    public static void Apply(JsonObject target, JsonObject patch, Schema schema)
    {
        switch (patch.Text(Directive))
        {
            case null or "merge":
                break;
            case "replace":
                target.Clear();
                foreach (var (name, content) in patch.Where(pair => pair.Key != Directive))
                {
                    target[name] = content?.DeepClone();
                }

                return;
            case "delete":
                target.Clear();
                return;
            case var other:
                throw new PatchException($"unknown patch type found: {other}");
        }

        if (patch.List(RetainKeys) is { } retained)
        {
            var kept = retained.Select(name => name.Text()).ToHashSet();
            foreach (var name in target.Select(pair => pair.Key).Where(name => !kept.Contains(name)).ToList())
            {
                target.Remove(name);
            }
        }

        foreach (var (name, content) in patch)
        {
            if (name.StartsWith(DeletePrefix, StringComparison.Ordinal))
            {
                DeleteValues(target, name[DeletePrefix.Length..], content as JsonArray);
            }
            else if (name is not (Directive or RetainKeys) && !name.StartsWith(OrderPrefix, StringComparison.Ordinal))
            {
                Merge(target, name, content, FieldOf(schema, name));
            }
        }

        foreach (var (name, content) in patch)
        {
            if (name.StartsWith(OrderPrefix, StringComparison.Ordinal)
                && target[name[OrderPrefix.Length..]] is JsonArray list && content is JsonArray order)
            {
                Sort(list, order, FieldOf(schema, name[OrderPrefix.Length..]));
            }
        }
    }

    private static void Merge(JsonObject target, string name, JsonNode? content, Schema schema)
    {
        switch (content)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject map when target[name] is JsonObject present:
                if (map.Text(Directive) == "delete")
                {
                    target.Remove(name);
                    break;
                }

                Apply(present, map, schema);
                break;
            case JsonObject map:
                if (map.Text(Directive) != "delete")
                {
                    var made = new JsonObject();
                    Apply(made, map, schema);
                    target[name] = made;
                }

                break;
            case JsonArray list when schema is { Kind: SchemaKind.List, PatchMerges: true }:
                var merged = target[name] as JsonArray ?? [];
                if (target[name] is not JsonArray)
                {
                    target[name] = merged;
                }

                MergeList(merged, list, schema);
                break;
            default:
                target[name] = content.DeepClone();
                break;
        }
    }

    private static void MergeList(JsonArray target, JsonArray patch, Schema schema)
    {
        if (schema.PatchMergeKey.Length == 0)
        {
            foreach (var item in patch)
            {
                if (!target.Any(present => present.SameAs(item)))
                {
                    target.Add(item?.DeepClone());
                }
            }

            return;
        }

        if (patch.OfType<JsonObject>().Any(item => item.Text(Directive) == "replace"))
        {
            target.Clear();
            foreach (var item in patch.Where(item => (item as JsonObject).Text(Directive) is null))
            {
                target.Add(item?.DeepClone());
            }

            return;
        }

        foreach (var item in patch)
        {
            var map = item as JsonObject ?? throw new PatchException("a list of objects has an element that is none");
            var key = map[schema.PatchMergeKey]
                ?? throw new PatchException($"map: {map.ToJsonString()} does not contain declared merge key: {schema.PatchMergeKey}");
            var present = target.OfType<JsonObject>().Where(one => one[schema.PatchMergeKey].SameAs(key)).ToList();
            if (map.Text(Directive) == "delete")
            {
                present.ForEach(one => target.Remove(one));
            }
            else if (present.Count > 0)
            {
                Apply(present[0], map, schema.Element!);
            }
            else
            {
                var made = new JsonObject();
                Apply(made, map, schema.Element!);
                target.Add(made);
            }
        }
    }

    private static void DeleteValues(JsonObject target, string name, JsonArray? values)
    {
        if (target[name] is not JsonArray list || values is null)
        {
            return;
        }

        for (var at = list.Count - 1; at >= 0; at--)
        {
            if (values.Any(value => value.SameAs(list[at])))
            {
                list.RemoveAt(at);
            }
        }
    }

    /// <summary>Brings the named elements into their order; those that are not named stay after the one they followed.</summary>
    private static void Sort(JsonArray list, JsonArray order, Schema schema)
    {
        bool Same(JsonNode? left, JsonNode? right) => schema.PatchMergeKey.Length == 0
            ? left.SameAs(right)
            : (left as JsonObject)?[schema.PatchMergeKey].SameAs((right as JsonObject)?[schema.PatchMergeKey]) == true;

        var items = list.ToList();
        list.Clear();
        var named = order.Select(wanted => items.FirstOrDefault(item => Same(item, wanted))).OfType<JsonNode>().ToList();
        var next = 0;
        foreach (var item in items)
        {
            if (item is not null && named.Contains(item))
            {
                list.Add(named[next++]);
            }
            else
            {
                list.Add(item);
            }
        }
    }

    private static Schema FieldOf(Schema schema, string name)
        => schema.Object?.Fields.GetValueOrDefault(name) ?? schema.Element ?? Schema.Any;
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.FieldOwnership;

/// <summary>Who owns which fields of an object: its <c>metadata.managedFields</c>.</summary>
internal sealed class FieldManagers
{
    private readonly Dictionary<ManagerId, ManagedSet> _sets = [];

    public IEnumerable<KeyValuePair<ManagerId, ManagedSet>> All => _sets;

    public FieldSet? this[ManagerId manager] => _sets.GetValueOrDefault(manager)?.Fields;

    /// <summary>Reads them off an object.</summary>
    public static FieldManagers Read(JsonObject? value)
    {
        var result = new FieldManagers();
        foreach (var entry in value.Object("metadata").Objects("managedFields"))
        {
            if (entry.Text("manager") is null && entry.Text("operation") is null)
            {
                continue;
            }

            var operation = entry.Text("operation") == "Apply" ? Operation.Apply : Operation.Update;
            var version = entry.Text("apiVersion") ?? "";
            var id = new ManagerId(entry.Text("manager") ?? "", operation, operation == Operation.Apply ? "" : version, entry.Text("subresource") ?? "");
            var fields = FieldSet.Read(entry.Object("fieldsV1") ?? []);
            var known = result._sets.GetValueOrDefault(id);
            result._sets[id] = new ManagedSet(known is null ? fields : known.Fields.Union(fields), version, entry.Text("time"));
        }

        return result;
    }

    /// <summary>Gives a manager these fields; without any it is no longer one.</summary>
    /// <param name="manager">Who.</param>
    /// <param name="fields">What it owns from now on.</param>
    /// <param name="apiVersion">The version in which it was said.</param>
    /// <param name="time">When; null keeps the time of before.</param>
    public void Set(ManagerId manager, FieldSet fields, string apiVersion, string? time)
    {
        if (fields.IsEmpty)
        {
            _sets.Remove(manager);
            return;
        }

        _sets[manager] = new ManagedSet(fields, apiVersion, time ?? _sets.GetValueOrDefault(manager)?.Time);
    }

    /// <summary>Takes fields from every other manager.</summary>
    public void TakeFromOthers(ManagerId manager, FieldSet fields)
    {
        if (fields.IsEmpty)
        {
            return;
        }

        foreach (var (other, owned) in _sets.ToArray())
        {
            if (other != manager)
            {
                Set(other, owned.Fields.Except(fields), owned.ApiVersion, null);
            }
        }
    }

    /// <summary>Writes them into an object.</summary>
    public void Write(JsonObject value)
    {
        var metadata = value.Metadata();
        metadata.Remove("managedFields");
        if (_sets.Count == 0)
        {
            return;
        }

        metadata["managedFields"] = new JsonArray([.. _sets
            .OrderBy(pair => pair.Key.Operation)
            .ThenBy(pair => pair.Value.Time, StringComparer.Ordinal)
            .ThenBy(pair => pair.Key.Name, StringComparer.Ordinal)
            .ThenBy(pair => pair.Value.ApiVersion, StringComparer.Ordinal)
            .ThenBy(pair => pair.Key.Subresource, StringComparer.Ordinal)
            .Select(pair => Entry(pair.Key, pair.Value))]);
    }

    /// <summary>Whether two lists of managed fields say the same but for when.</summary>
    public static bool SameButTimes(JsonArray? left, JsonArray? right)
    {
        if ((left?.Count ?? 0) != (right?.Count ?? 0))
        {
            return false;
        }

        for (var at = 0; at < (left?.Count ?? 0); at++)
        {
            if (left![at] is not JsonObject one || right![at] is not JsonObject other)
            {
                return false;
            }

            foreach (var field in one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key)))
            {
                if (field != "time" && !one[field].SameAs(other[field]))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static JsonNode Entry(ManagerId manager, ManagedSet owned)
    {
        var entry = new JsonObject
        {
            ["manager"] = manager.Name,
            ["operation"] = manager.Operation.ToString(),
            ["apiVersion"] = owned.ApiVersion,
        };
        if (owned.Time is not null)
        {
            entry["time"] = owned.Time;
        }

        entry["fieldsType"] = "FieldsV1";
        entry["fieldsV1"] = owned.Fields.Write();
        if (manager.Subresource.Length > 0)
        {
            entry["subresource"] = manager.Subresource;
        }

        return entry;
    }
}

/// <summary>What makes a manager the same one: for an apply not the version.</summary>
internal readonly record struct ManagerId(string Name, Operation Operation, string ApiVersion, string Subresource)
{
    /// <summary>As conflicts name it.</summary>
    public override string ToString()
    {
        var text = $"\"{Name}\"" + (Subresource.Length > 0 ? $" with subresource \"{Subresource}\"" : "");
        return Operation == Operation.Update ? $"{text} using {ApiVersion}" : text;
    }
}

/// <summary>The fields of a manager.</summary>
internal sealed record ManagedSet(FieldSet Fields, string ApiVersion, string? Time);

internal enum Operation
{
    Apply,
    Update,
}

using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Reading;

/// <summary>Answers lists: the stored bytes one after the other where nobody asks for anything else.</summary>
internal sealed class ListReader(ObjectStore store)
{
    /// <summary>One page of a list.</summary>
    /// <exception cref="ApiException">A parameter cannot be understood.</exception>
    public ListPage Read(RequestTarget target, ObjectFilter filter, IQueryCollection query)
    {
        var (objects, revision) = store.List(target.Resource.StorageName, target.Namespace);
        if (query["resourceVersion"].ToString() is { Length: > 0 } asked && asked != "0" && ResourceVersions.Parse(asked) > revision)
        {
            throw new ApiException(504, "Timeout", $"Too large resource version: {asked}, current: {revision}",
                new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }), ["retryAfterSeconds"] = 1 });
        }

        var limit = int.TryParse(query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : int.MaxValue;
        var start = query["continue"].ToString() is { Length: > 0 } token ? ReadToken(token) : default;
        var page = new List<StoredObject>(Math.Min(limit, objects.Count));
        string? next = null;
        long remaining = 0;
        foreach (var item in objects)
        {
            if (start.Name is not null && Compare(item.Key, start) <= 0)
            {
                continue;
            }

            if (page.Count == limit)
            {
                next ??= WriteToken(page[^1].Key, start.Name is null ? revision : start.Revision);
                remaining++;
                if (!filter.IsEverything)
                {
                    break;
                }
            }
            else if (filter.Matches(item))
            {
                page.Add(item);
            }
        }

        return new ListPage(page, start.Name is null ? revision : start.Revision, next, next is not null && filter.IsEverything ? remaining : null);
    }

    /// <summary>Writes a page as the kind's list.</summary>
    public static void Write(ResourceDefinition resource, ListPage page, IBufferWriter<byte> output)
    {
        var metadata = Metadata(page);
        output.Write(Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.ListKind}\",\"apiVersion\":\"{resource.Version}\",\"metadata\":"));
        JsonBody.Write(metadata, output);
        output.Write(",\"items\":["u8);
        var first = true;
        var converted = resource.Version != resource.StorageVersion;
        foreach (var item in page.Objects)
        {
            if (!first)
            {
                output.Write(","u8);
            }

            first = false;
            if (converted)
            {
                JsonBody.Write(Writing.ObjectWriter.FromStorage(resource, item), output);
            }
            else
            {
                output.Write(item.Json);
            }
        }

        output.Write("]}\n"u8);
    }

    public static JsonObject Metadata(ListPage page)
    {
        var metadata = new JsonObject { ["resourceVersion"] = page.Revision.ToString(CultureInfo.InvariantCulture) };
        if (page.Continue is not null)
        {
            metadata["continue"] = page.Continue;
        }

        if (page.Remaining is { } remaining)
        {
            metadata["remainingItemCount"] = remaining;
        }

        return metadata;
    }

    private static int Compare(ObjectKey key, (string? Namespace, string? Name, long) start)
    {
        var byNamespace = string.CompareOrdinal(key.Namespace, start.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(key.Name, start.Name);
    }

    private static string WriteToken(ObjectKey last, long revision)
        => Convert.ToBase64String(JsonBody.Write(new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = revision, ["ns"] = last.Namespace, ["name"] = last.Name }));

    private static (string? Namespace, string? Name, long Revision) ReadToken(string token)
    {
        try
        {
            var value = JsonBody.ReadObject(Convert.FromBase64String(token));
            return (value.Text("ns"), value.Text("name") ?? throw new FormatException(), value.Integer("rv") ?? throw new FormatException());
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw ApiErrors.BadRequest("continue key is not valid: " + exception.Message);
        }
    }
}

/// <summary>A page of a list.</summary>
internal sealed record ListPage(IReadOnlyList<StoredObject> Objects, long Revision, string? Continue, long? Remaining);

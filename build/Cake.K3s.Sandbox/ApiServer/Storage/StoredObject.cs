using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Storage;

/// <summary>Where an object is kept: resource as <c>plural.group</c>, namespace (empty for cluster scope) and name.</summary>
internal readonly record struct ObjectKey(string Resource, string Namespace, string Name)
{
    public override string ToString() => $"{Resource}/{Namespace}/{Name}";
}

/// <summary>
/// A state of an object. Immutable: kept as the bytes that clients get, so that a list is written without parsing anything.
/// </summary>
internal sealed class StoredObject(ObjectKey key, long resourceVersion, byte[] json)
{
    private IReadOnlyDictionary<string, string>? _labels;
    private JsonObject? _selected;

    public ObjectKey Key { get; } = key;

    /// <summary>The number of the change that made this state.</summary>
    public long ResourceVersion { get; } = resourceVersion;

    /// <summary>UTF-8 JSON in the storage version.</summary>
    public byte[] Json { get; } = json;

    /// <summary>The object's labels; parsed once.</summary>
    public IReadOnlyDictionary<string, string> Labels => _labels ??= ReadObject().Labels();

    /// <summary>A copy that the caller may change.</summary>
    public JsonObject ReadObject() => JsonBody.ReadObject(Json);

    /// <summary>A copy shared by readers, for field selectors: nobody may change it. Dropped with the object.</summary>
    public JsonObject Shared => _selected ??= ReadObject();

    /// <summary>A DELETED event's object: the last state with the number of the deletion.</summary>
    public StoredObject At(long resourceVersion)
    {
        var value = ReadObject();
        value.Metadata()["resourceVersion"] = resourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new StoredObject(Key, resourceVersion, JsonBody.Write(value));
    }
}

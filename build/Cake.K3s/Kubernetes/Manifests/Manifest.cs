using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>One object of the app, ready to be applied.</summary>
public sealed class Manifest
{
    private readonly SourceMap _map;

    internal Manifest(JsonObject node, SourceMap map)
    {
        Node = node;
        _map = map;
        Key = ObjectKey.Of(node);
    }

    /// <summary>An object that was read before and kept, e.g. by a release.</summary>
    /// <param name="node">The object as it was in the manifests.</param>
    /// <param name="origin">Where it is from, for errors, e.g. <c>release 12</c>.</param>
    public static Manifest Of(JsonObject node, string origin) => new(node, new SourceMap(origin));

    /// <summary>The object. Fields that this library does not know are in it as they were written.</summary>
    public JsonObject Node { get; }

    /// <summary>Its type, namespace (null if it says none) and name.</summary>
    public ObjectKey Key { get; }

    /// <summary>Where it begins.</summary>
    public ManifestPlace Place => _map.PlaceOf(Node);

    /// <summary>Where one of its nodes stands.</summary>
    public ManifestPlace PlaceOf(JsonNode? node) => node is null ? Place : _map.PlaceOf(node);

    /// <summary>The object's name as people say it, e.g. <c>Deployment/api</c>.</summary>
    public override string ToString() => Key.ToString();
}

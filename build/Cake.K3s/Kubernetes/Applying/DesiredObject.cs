using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>
/// An object as it is sent to the API. It is made of its manifest whenever it is needed: most objects of most deploys are compared
/// once and never sent, and a second copy of thousands of manifests would be a large part of the host's memory.
/// </summary>
/// <param name="Manifest">What it is made from.</param>
/// <param name="Key">Its type, name, and the namespace that it will be in (null for one without).</param>
/// <param name="SetId">The apply set that it joins.</param>
internal sealed record DesiredObject(Manifest Manifest, ObjectKey Key, string SetId)
{
    /// <summary>The annotation with the hash of what was applied last: by it an unchanged object is recognized without applying it.</summary>
    public const string HashAnnotation = "cake-k3s/applied";

    /// <summary>Prepares a manifest; the manifest stays as it is.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="namespaceName">The namespace that it will be in; null for a type without namespaces.</param>
    /// <param name="set">The set that it joins.</param>
    public static DesiredObject Of(Manifest manifest, string? namespaceName, ApplySet set) =>
        new(manifest, manifest.Key with { Namespace = namespaceName }, set.Id);

    /// <summary>Makes the object: with its namespace, the apply set's label and the hash of all that.</summary>
    public JsonObject ToNode()
    {
        var node = Manifest.Node.DeepClone().AsObject();
        var metadata = node.Child("metadata");
        if (Key.Namespace is null)
        {
            metadata.Remove("namespace");
        }
        else
        {
            metadata["namespace"] = Key.Namespace;
        }

        metadata.Child("labels")[ApplySet.PartOfLabel] = SetId;
        EncodeSecret(node);
        (metadata["annotations"] as JsonObject)?.Remove(HashAnnotation);
        metadata.Child("annotations")[HashAnnotation] = CanonicalJson.Hash(node);
        return node;
    }

    /// <summary>
    /// Moves a Secret's <c>stringData</c> to <c>data</c>: the API forgets which of the former's members were ours, and would keep one
    /// that a later release no longer has.
    /// </summary>
    private static void EncodeSecret(JsonObject node)
    {
        if (node.Text("kind") != "Secret" || node.Text("apiVersion") != "v1" || node["stringData"] is not JsonObject texts)
        {
            return;
        }

        var data = node.Child("data");
        foreach (var (name, value) in texts)
        {
            data[name] = value is JsonValue text && text.TryGetValue(out string? plain)
                ? Convert.ToBase64String(Encoding.UTF8.GetBytes(plain))
                : value?.DeepClone();
        }

        node.Remove("stringData");
    }
}

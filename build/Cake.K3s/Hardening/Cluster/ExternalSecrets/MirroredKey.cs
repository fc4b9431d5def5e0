using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.ExternalSecrets;

/// <summary>A key of a Secret in the app's manifests whose whole value is one secret of deploy.yaml.</summary>
/// <param name="Secret">The Secret's name.</param>
/// <param name="Namespace">Its namespace; null for the app's own.</param>
/// <param name="Key">The key in it.</param>
/// <param name="Name">The secret's name in deploy.yaml, and the property's in Vault.</param>
internal sealed record MirroredKey(string Secret, string? Namespace, string Key, string Name)
{
    private const string Mark = "cake-k3s-value-of:";

    /// <summary>What stands for a secret's value while the manifests are read.</summary>
    public static string MarkOf(string name) => Mark + name;

    /// <summary>Finds the keys in objects that were read with marks for values. A value that has more than one secret in it is none.</summary>
    public static ImmutableArray<MirroredKey> Find(IEnumerable<JsonObject> objects) =>
    [
        .. from node in objects
           where node.Text("kind") == "Secret" && node.Text("apiVersion") == "v1"
           from key in Texts(node)
           where key.Value.StartsWith(Mark, StringComparison.Ordinal) && key.Value.LastIndexOf(Mark, StringComparison.Ordinal) == 0
               && key.Value.AsSpan(Mark.Length).IndexOfAnyExcept(NameCharacters) < 0
           select new MirroredKey(node.ObjectName()!, node.NamespaceName(), key.Key, key.Value[Mark.Length..]),
    ];

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static IEnumerable<KeyValuePair<string, string>> Texts(JsonObject secret)
    {
        foreach (var (key, value) in secret["stringData"] as JsonObject ?? [])
        {
            yield return new(key, value?.ToString() ?? "");
        }

        foreach (var (key, value) in secret["data"] as JsonObject ?? [])
        {
            var bytes = new byte[(value?.ToString() ?? "").Length];
            yield return new(key, Convert.TryFromBase64String(value?.ToString() ?? "", bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : "");
        }
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Makes manifests of text: reads YAML, unfolds lists, puts in values and images, and checks that each names an object.</summary>
internal static class ManifestParser
{
    /// <summary>The manifests in a text.</summary>
    /// <param name="text">YAML, or JSON.</param>
    /// <param name="file">Where it is from, for errors.</param>
    /// <param name="inputs">What is put in.</param>
    /// <exception cref="SettingsException">It is wrong; the message says where.</exception>
    public static IEnumerable<Manifest> Parse(string text, string file, ManifestInputs inputs)
    {
        var map = new SourceMap(file);
        foreach (var node in YamlReader.Read(text, map).SelectMany(document => Unfold(document, map)))
        {
            Substitution.Apply(node, map, inputs);
            Check(node, map);
            ImageNames.Apply(node, map, inputs);
            yield return new(node, map);
        }
    }

    /// <summary>The objects of a document: itself, or the items of a <c>List</c>.</summary>
    private static IEnumerable<JsonObject> Unfold(JsonNode? document, SourceMap map)
    {
        if (document is not JsonObject node)
        {
            throw map.PlaceOf(document).Error("a manifest is an object with apiVersion, kind and metadata");
        }

        if (node.Text("kind")?.EndsWith("List", StringComparison.Ordinal) != true || node["items"] is not JsonArray items)
        {
            return [node];
        }

        var unfolded = items.ToList();
        items.Clear();
        return unfolded.SelectMany(item => Unfold(item, map));
    }

    private static void Check(JsonObject node, SourceMap map)
    {
        foreach (var member in (string[])["apiVersion", "kind"])
        {
            if (node.Text(member) is not { Length: > 0 })
            {
                var place = map.PlaceOf(node[member] ?? node);
                throw place.Error(node.ContainsKey(member) ? $"{member} must be text" : $"there is no {member}");
            }
        }

        var kind = node.Text("kind");
        if (node.ObjectName() is not { Length: > 0 })
        {
            throw map.PlaceOf(node.At("metadata", "name") ?? node["metadata"] ?? node).Error(
                node.Text("metadata", "generateName") is null
                    ? $"this {kind} has no metadata.name, or one that is no text"
                    : $"this {kind} has a generateName, which would make another object at every deploy: give it a name");
        }
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Cake.Shared;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Puts <c>repository@sha256:…</c> in the place of an image's name from deploy.yaml.</summary>
internal static class ImageNames
{
    // Stands for the digest of an image that is not built yet.
    private const string Unbuilt = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Replaces the names in all containers of an object.</summary>
    /// <exception cref="SettingsException">Nobody defined the name, and it is no reference to an image elsewhere.</exception>
    public static void Apply(JsonObject manifest, SourceMap map, ManifestInputs inputs)
    {
        if (PodSpecs.TemplateOf(manifest) is { } template)
        {
            foreach (var container in PodSpecs.Containers(template["spec"]))
            {
                Replace(container, "image", map, inputs, mustBeKnown: true);
            }

            foreach (var volume in template.Objects("spec", "volumes"))
            {
                if (volume["image"] is JsonObject image)
                {
                    Replace(image, "reference", map, inputs, mustBeKnown: true);
                }
            }
        }
        else
        {
            // A custom resource's image may be anything; a name of ours is ours.
            foreach (var container in PodSpecs.ContainersAnywhere(manifest))
            {
                Replace(container, "image", map, inputs, mustBeKnown: false);
            }
        }
    }

    private static void Replace(JsonObject parent, string member, SourceMap map, ManifestInputs inputs, bool mustBeKnown)
    {
        if (parent.Text(member) is not { } name)
        {
            return;
        }

        if (inputs.Images.TryGetValue(name, out var reference))
        {
            var replaced = JsonValue.Create(reference ?? name + Unbuilt);
            map.Move(parent[member]!, replaced);
            parent[member] = replaced;
        }
        else if (mustBeKnown && name.IndexOfAny(['/', ':', '@']) < 0)
        {
            var nearest = NearestName.Find(name, inputs.Images.Keys);
            throw map.PlaceOf(parent[member]).Error(
                $"there is no image '{name}'{(nearest is null ? "" : $"; did you mean '{nearest}'?")}",
                $"define it under images in {inputs.SettingsFile} ({string.Join(", ", inputs.Images.Keys.Order(StringComparer.Ordinal))}), "
                + $"or name an image elsewhere in full: docker.io/library/{name}@sha256:…");
        }
    }
}

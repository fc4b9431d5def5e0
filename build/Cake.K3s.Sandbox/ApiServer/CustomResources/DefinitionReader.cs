using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.CustomResources;

/// <summary>Reads the resources that a CustomResourceDefinition defines: one for each served version.</summary>
internal static class DefinitionReader
{
    public static IReadOnlyList<ResourceDefinition> Read(JsonObject definition)
    {
        var spec = definition.Object("spec");
        var names = spec.Object("names");
        var (group, plural, kind) = (spec.Text("group"), names.Text("plural"), names.Text("kind"));
        if (group is null || plural is null || kind is null)
        {
            return [];
        }

        var stored = spec.Objects("versions").FirstOrDefault(version => version.Flag("storage") == true).Text("name") ?? "v1";
        return [.. spec.Objects("versions").Where(version => version.Flag("served") == true)
            .Select(version => Version(definition.Name()!, version, names!, new GroupVersion(group, version.Text("name") ?? ""), new GroupVersion(group, stored), spec.Text("scope") == "Namespaced"))];
    }

    private static ResourceDefinition Version(
        string name, JsonObject version, JsonObject names, GroupVersion groupVersion, GroupVersion storage, bool namespaced)
    {
        var (plural, kind) = (names.Text("plural")!, names.Text("kind")!);
        var schema = version.Object("schema", "openAPIV3Schema")?.Copy() ?? new JsonObject { ["x-kubernetes-preserve-unknown-fields"] = true };
        var subresources = new List<Subresource>();
        var scale = version.Object("subresources", "scale");
        if (scale is not null)
        {
            subresources.Add(new Subresource("scale", "Scale", ResourceVerbs.GetPatchUpdate, new GroupVersion("autoscaling", "v1")));
        }

        if (version.Object("subresources", "status") is not null)
        {
            subresources.Add(new Subresource("status", kind, ResourceVerbs.GetPatchUpdate));
        }

        return new ResourceDefinition(groupVersion, plural, kind, namespaced, () => StructuralSchema.OfKind($"{groupVersion}/{kind}", schema))
        {
            Singular = names.Text("singular") ?? kind.ToLowerInvariant(),
            ListKind = names.Text("listKind") ?? kind + "List",
            ShortNames = [.. names.Texts("shortNames")],
            Categories = [.. names.Texts("categories")],
            Subresources = subresources,
            StorageVersion = storage,
            Custom = new CustomResource(name, schema,
            [
                .. version.Objects("additionalPrinterColumns").Select(column => new PrinterColumn(
                    column.Text("name") ?? "", column.Text("type") ?? "string", column.Text("jsonPath") ?? "", column.Text("format") ?? "",
                    column.Text("description") ?? "", (int)(column.Integer("priority") ?? 0))),
            ],
            scale is null ? null : new ScalePaths(
                scale.Text("specReplicasPath") ?? ".spec.replicas", scale.Text("statusReplicasPath") ?? ".status.replicas", scale.Text("labelSelectorPath"))),
        };
    }
}

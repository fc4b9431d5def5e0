using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>The types that a CustomResourceDefinition brings, before the cluster has it.</summary>
internal static class CustomTypes
{
    /// <summary>The types that an object defines; none if it is no CRD.</summary>
    public static IEnumerable<ApiResource> DefinedBy(JsonObject node) =>
        node.Text("kind") != "CustomResourceDefinition" ? [] : node.Objects("spec", "versions")
            .Where(version => version.Flag("served") != false)
            .Select(version => new ApiResource(
                new(node.Text("spec", "group") ?? "", version.Text("name") ?? "", node.Text("spec", "names", "kind") ?? ""),
                node.Text("spec", "names", "plural") ?? "",
                node.Text("spec", "scope") == "Namespaced",
                [],
                []));
}

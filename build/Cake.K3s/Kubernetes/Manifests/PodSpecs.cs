using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Finds the pods and containers that an object describes.</summary>
internal static class PodSpecs
{
    private static readonly string[] ContainerLists = ["initContainers", "containers", "ephemeralContainers"];

    /// <summary>The pod template of a built-in workload, the pod itself for a Pod; null for any other kind.</summary>
    public static JsonObject? TemplateOf(JsonObject manifest)
    {
        var type = GroupVersionKind.Of(manifest);
        return (type.Group, type.Kind) switch
        {
            ("", "Pod") => manifest,
            ("", "PodTemplate") => manifest.At("template") as JsonObject,
            ("apps", "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet") or ("", "ReplicationController") or ("batch", "Job") =>
                manifest.At("spec", "template") as JsonObject,
            ("batch", "CronJob") => manifest.At("spec", "jobTemplate", "spec", "template") as JsonObject,
            _ => null,
        };
    }

    /// <summary>All containers of a pod's spec.</summary>
    public static IEnumerable<JsonObject> Containers(JsonNode? podSpec) => ContainerLists.SelectMany(list => podSpec.Objects(list));

    /// <summary>Every list of containers below a node, wherever it stands, as custom resources have them.</summary>
    public static IEnumerable<JsonObject> ContainersAnywhere(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member =>
            ContainerLists.Contains(member.Key) ? members.Objects(member.Key) : ContainersAnywhere(member.Value)),
        JsonArray elements => elements.SelectMany(ContainersAnywhere),
        _ => [],
    };
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.CustomResources;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>What the server itself says of an object at its creation, before any controller has seen it.</summary>
internal static class InitialState
{
    public static void Apply(ResourceDefinition resource, JsonObject value)
    {
        switch (resource.StorageName)
        {
            case "namespaces":
                value.Ensure("spec")["finalizers"] = new JsonArray("kubernetes");
                value["status"] = new JsonObject { ["phase"] = "Active" };
                break;
            case "pods":
                value["status"] = new JsonObject { ["phase"] = "Pending" };
                break;
            case "services":
                value["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
                break;
            case "persistentvolumeclaims" or "persistentvolumes":
                value["status"] = new JsonObject { ["phase"] = "Pending" };
                break;
            case "deployments.apps" or "cronjobs.batch":
                value["status"] = new JsonObject();
                break;
            case "jobs.batch":
                value["status"] = new JsonObject();
                Job(value);
                break;
            case "ingresses.networking.k8s.io":
                value["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
                break;
            case "statefulsets.apps":
                value["status"] = new JsonObject { ["replicas"] = 0, ["availableReplicas"] = 0 };
                break;
            case "replicasets.apps" or "replicationcontrollers":
                value["status"] = new JsonObject { ["replicas"] = 0 };
                break;
            case "daemonsets.apps":
                value["status"] = new JsonObject
                {
                    ["currentNumberScheduled"] = 0,
                    ["numberMisscheduled"] = 0,
                    ["desiredNumberScheduled"] = 0,
                    ["numberReady"] = 0,
                };
                break;
            case "customresourcedefinitions.apiextensions.k8s.io":
                value.Metadata()["finalizers"] = new JsonArray([.. value.Metadata().Texts("finalizers").Append(DefinitionController.Cleanup).Distinct(StringComparer.Ordinal).Select(name => (JsonNode)name)]);
                break;
            case "poddisruptionbudgets.policy":
                value["status"] = new JsonObject { ["disruptionsAllowed"] = 0, ["currentHealthy"] = 0, ["desiredHealthy"] = 0, ["expectedPods"] = 0 };
                break;
        }
    }

    /// <summary>How willingly a node gives a pod up: by its requests and limits.</summary>
    public static void SetQualityOfService(JsonObject pod)
    {
        var containers = pod.Object("spec").Objects("containers").Concat(pod.Object("spec").Objects("initContainers")).ToList();
        var any = containers.Any(container => Has(container, "requests", "cpu") || Has(container, "requests", "memory")
            || Has(container, "limits", "cpu") || Has(container, "limits", "memory"));
        var all = containers.All(container => ((string[])["cpu", "memory"]).All(resource =>
            container.Object("resources", "limits")?[resource].Text() is { } limit
            && Quantities.Nano(limit) == Quantities.Nano(container.Object("resources", "requests")?[resource].Text() ?? limit)));
        pod.Ensure("status")["qosClass"] = !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
    }

    private static bool Has(JsonObject container, string list, string resource)
        => container.Object("resources", list)?[resource] is { } value && value.ToString() != "0";

    /// <summary>A Job's pods are found by labels that the server makes of its uid.</summary>
    private static void Job(JsonObject value)
    {
        var spec = value.Object("spec");
        if (spec?.Object("template") is not { } template || spec.Flag("manualSelector") == true || spec["selector"] is not null)
        {
            return;
        }

        var labels = template.Ensure("metadata").Ensure("labels");
        foreach (var (key, content) in (ReadOnlySpan<(string, string?)>)
        [
            ("batch.kubernetes.io/controller-uid", value.Uid()), ("batch.kubernetes.io/job-name", value.Name()),
            ("controller-uid", value.Uid()), ("job-name", value.Name()),
        ])
        {
            labels[key] = content;
        }

        spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["batch.kubernetes.io/controller-uid"] = value.Uid() } };
    }
}

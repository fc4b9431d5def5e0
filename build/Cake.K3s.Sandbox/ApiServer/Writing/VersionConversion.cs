using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>Between the version of a request and the version that objects are kept in. Custom resources only change their apiVersion.</summary>
internal static class VersionConversion
{
    /// <summary>Makes an object of the storage version be one of the resource's version, in place.</summary>
    public static void FromStorage(ResourceDefinition resource, JsonObject value)
    {
        if (resource.Version == resource.StorageVersion)
        {
            return;
        }

        value["apiVersion"] = resource.Version.ToString();
        switch (resource.Version.ToString())
        {
            case "events.k8s.io/v1":
                Rename(value, EventFields, forward: true);
                break;
            case "autoscaling/v1":
                HpaFromStorage(value);
                break;
        }
    }

    /// <summary>Makes an object of the resource's version be one of the storage version, in place.</summary>
    public static void ToStorage(ResourceDefinition resource, JsonObject value)
    {
        if (resource.Version == resource.StorageVersion)
        {
            return;
        }

        value["apiVersion"] = resource.StorageVersion.ToString();
        switch (resource.Version.ToString())
        {
            case "events.k8s.io/v1":
                Rename(value, EventFields, forward: false);
                break;
            case "autoscaling/v1":
                HpaToStorage(value);
                break;
        }
    }

    private static readonly (string Core, string New)[] EventFields =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
        ("reportingComponent", "reportingController"),
    ];

    private static void Rename(JsonObject value, (string Core, string New)[] names, bool forward)
    {
        foreach (var (core, @new) in names)
        {
            var (from, to) = forward ? (core, @new) : (@new, core);
            if (value[from] is { } content)
            {
                value.Remove(from);
                value[to] = content;
            }
        }
    }

    private static void HpaToStorage(JsonObject value)
    {
        if (value.Object("spec") is { } spec && spec["targetCPUUtilizationPercentage"] is { } target)
        {
            spec.Remove("targetCPUUtilizationPercentage");
            spec["metrics"] = new JsonArray(new JsonObject
            {
                ["type"] = "Resource",
                ["resource"] = new JsonObject
                {
                    ["name"] = "cpu",
                    ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = target.DeepClone() },
                },
            });
        }
    }

    private static void HpaFromStorage(JsonObject value)
    {
        var spec = value.Object("spec");
        var cpu = spec.Objects("metrics").FirstOrDefault(metric => metric.Object("resource").Text("name") == "cpu");
        if (cpu.Object("resource", "target")?["averageUtilization"] is { } target)
        {
            spec!["targetCPUUtilizationPercentage"] = target.DeepClone();
        }

        spec?.Remove("metrics");
        spec?.Remove("behavior");
        value.Object("status")?.Remove("currentMetrics");
        value.Object("status")?.Remove("conditions");
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>The defaults of pods, alone or in the templates of workloads.</summary>
internal static class PodDefaults
{
    /// <summary>Completes a pod's spec in place.</summary>
    public static void Apply(JsonObject spec)
    {
        foreach (var field in (string[])["containers", "initContainers", "ephemeralContainers"])
        {
            foreach (var container in spec.Objects(field))
            {
                Container(container);
            }
        }

        foreach (var volume in spec.Objects("volumes"))
        {
            Volume(volume);
        }

        spec.Default("restartPolicy", "Always");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("securityContext", new JsonObject());
        spec.Default("schedulerName", "default-scheduler");
        if (spec.Text("serviceAccount") is { Length: > 0 } old && spec["serviceAccountName"] is null)
        {
            spec["serviceAccountName"] = old;
        }
        else if (spec.Text("serviceAccountName") is { Length: > 0 } name)
        {
            spec["serviceAccount"] = name;
        }
    }

    /// <summary>What only a pod itself gets, not a template.</summary>
    public static void ApplyToPod(JsonObject spec)
    {
        spec.Default("enableServiceLinks", true);
        spec.Default("preemptionPolicy", "PreemptLowerPriority");
        spec.Default("priority", 0);
        if (spec.Text("serviceAccountName") is not { Length: > 0 })
        {
            spec["serviceAccountName"] = "default";
            spec["serviceAccount"] = "default";
        }

        Toleration(spec, "node.kubernetes.io/not-ready");
        Toleration(spec, "node.kubernetes.io/unreachable");
        foreach (var container in spec.Objects("containers").Concat(spec.Objects("initContainers")))
        {
            if (container.Object("resources", "limits") is not { } limits)
            {
                continue;
            }

            var requests = container.Ensure("resources").Ensure("requests");
            foreach (var (resource, quantity) in limits)
            {
                if (quantity is not null)
                {
                    requests.Default(resource, quantity.DeepClone());
                }
            }
        }
    }

    private static void Container(JsonObject container)
    {
        foreach (var port in container.Objects("ports"))
        {
            port.Default("protocol", "TCP");
        }

        foreach (var variable in container.Objects("env"))
        {
            variable.Object("valueFrom", "fieldRef")?.Default("apiVersion", "v1");
            variable.Object("valueFrom", "resourceFieldRef")?.Default("divisor", "0");
        }

        foreach (var name in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            Probe(container.Object(name));
        }

        foreach (var name in (string[])["postStart", "preStop"])
        {
            HttpGet(container.Object("lifecycle", name).Object("httpGet"));
        }

        container.Default("resources", new JsonObject());
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        if (container.Text("image") is { } image)
        {
            container.Default("imagePullPolicy", HasMovingTag(image) ? "Always" : "IfNotPresent");
        }
    }

    /// <summary>An image without a tag or with the tag <c>latest</c>, and without a digest, may change under its name.</summary>
    private static bool HasMovingTag(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
        {
            return false;
        }

        var last = image[(image.LastIndexOf('/') + 1)..];
        var colon = last.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || last[(colon + 1)..] == "latest";
    }

    private static void Probe(JsonObject? probe)
    {
        if (probe is null)
        {
            return;
        }

        probe.Default("timeoutSeconds", 1);
        probe.Default("periodSeconds", 10);
        probe.Default("successThreshold", 1);
        probe.Default("failureThreshold", 3);
        HttpGet(probe.Object("httpGet"));
        probe.Object("grpc")?.Default("service", "");
    }

    private static void HttpGet(JsonObject? action)
    {
        action?.Default("path", "/");
        action?.Default("scheme", "HTTP");
    }

    private static void Volume(JsonObject volume)
    {
        if (volume.Count == 1 && volume.ContainsKey("name"))
        {
            volume["emptyDir"] = new JsonObject();
        }

        volume.Object("secret")?.Default("defaultMode", 420);
        volume.Object("configMap")?.Default("defaultMode", 420);
        volume.Object("downwardAPI")?.Default("defaultMode", 420);
        volume.Object("hostPath")?.Default("type", "");
        foreach (var item in volume.Object("downwardAPI").Objects("items"))
        {
            item.Object("fieldRef")?.Default("apiVersion", "v1");
        }

        if (volume.Object("projected") is { } projected)
        {
            projected.Default("defaultMode", 420);
            foreach (var source in projected.Objects("sources"))
            {
                source.Object("serviceAccountToken")?.Default("expirationSeconds", 3600);
                foreach (var item in source.Object("downwardAPI").Objects("items"))
                {
                    item.Object("fieldRef")?.Default("apiVersion", "v1");
                }
            }
        }

        if (volume.Object("ephemeral", "volumeClaimTemplate").Object("spec") is { } claim)
        {
            claim.Default("volumeMode", "Filesystem");
        }
    }

    private static void Toleration(JsonObject spec, string key)
    {
        var tolerations = spec.List("tolerations");
        if (tolerations is null)
        {
            spec["tolerations"] = tolerations = [];
        }

        if (!tolerations.OfType<JsonObject>().Any(one => (one.Text("key") is null || one.Text("key") == key) && one.Text("effect") is null or "NoExecute"))
        {
            tolerations.Add(new JsonObject { ["effect"] = "NoExecute", ["key"] = key, ["operator"] = "Exists", ["tolerationSeconds"] = 300 });
        }
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.CustomResources;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>What a real server fills in where a client says nothing, for the kinds that pipelines use.</summary>
internal static class KindDefaults
{
    /// <summary>Completes an object in place.</summary>
    public static void Apply(ResourceDefinition resource, JsonObject value)
    {
        var spec = value.Object("spec");
        switch (resource.StorageName)
        {
            case "namespaces":
                value.Metadata().Ensure("labels")["kubernetes.io/metadata.name"] = value.Name();
                break;
            case "pods":
                PodDefaults.Apply(value.Ensure("spec"));
                break;
            case "podtemplates":
                Template(value);
                break;
            case "deployments.apps" when spec is not null:
                Deployment(spec);
                break;
            case "replicasets.apps" when spec is not null:
                spec.Default("replicas", 1);
                Template(spec);
                break;
            case "replicationcontrollers" when spec is not null:
                ReplicationController(value, spec);
                break;
            case "statefulsets.apps" when spec is not null:
                StatefulSet(spec);
                break;
            case "daemonsets.apps" when spec is not null:
                DaemonSet(spec);
                break;
            case "jobs.batch" when spec is not null:
                Job(spec);
                break;
            case "cronjobs.batch" when spec is not null:
                CronJob(spec);
                break;
            case "services" when spec is not null:
                Service(spec);
                break;
            case "secrets":
                value.Default("type", "Opaque");
                MoveStringData(value);
                break;
            case "persistentvolumeclaims" when spec is not null:
                spec.Default("volumeMode", "Filesystem");
                break;
            case "persistentvolumes" when spec is not null:
                spec.Default("volumeMode", "Filesystem");
                spec.Default("persistentVolumeReclaimPolicy", "Retain");
                break;
            case "ingresses.networking.k8s.io":
                break;
            case "networkpolicies.networking.k8s.io" when spec is not null:
                NetworkPolicy(spec);
                break;
            case "storageclasses.storage.k8s.io":
                value.Default("reclaimPolicy", "Delete");
                value.Default("volumeBindingMode", "Immediate");
                break;
            case "horizontalpodautoscalers.autoscaling" when spec is not null:
                spec.Default("minReplicas", 1);
                break;
            case "priorityclasses.scheduling.k8s.io":
                value.Default("preemptionPolicy", "PreemptLowerPriority");
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                RoleBinding(value);
                break;
            case "endpointslices.discovery.k8s.io":
                foreach (var port in value.Objects("ports"))
                {
                    port.Default("name", "");
                    port.Default("protocol", "TCP");
                }

                break;
            case "endpoints":
                foreach (var port in value.Objects("subsets").SelectMany(subset => subset.Objects("ports")))
                {
                    port.Default("protocol", "TCP");
                }

                break;
            case "customresourcedefinitions.apiextensions.k8s.io" when spec is not null:
                CustomResourceDefinition(spec);
                break;
            case var _ when resource.IsCustom:
                SchemaDefaults.Apply(value, resource.Schema);
                break;
            case "validatingadmissionpolicies.admissionregistration.k8s.io" when spec is not null:
                spec.Default("failurePolicy", "Fail");
                Match(spec.Object("matchConstraints"));
                break;
            case "validatingadmissionpolicybindings.admissionregistration.k8s.io" when spec is not null:
                Match(spec.Object("matchResources"));
                break;
            case "validatingwebhookconfigurations.admissionregistration.k8s.io" or "mutatingwebhookconfigurations.admissionregistration.k8s.io":
                Webhooks(value, resource.Kind.StartsWith("Mutating", StringComparison.Ordinal));
                break;
        }
    }

    private static void Match(JsonObject? resources)
    {
        if (resources is null)
        {
            return;
        }

        resources.Default("matchPolicy", "Equivalent");
        resources.Default("namespaceSelector", new JsonObject());
        resources.Default("objectSelector", new JsonObject());
        foreach (var rule in resources.Objects("resourceRules").Concat(resources.Objects("excludeResourceRules")))
        {
            rule.Default("scope", "*");
        }
    }

    private static void Deployment(JsonObject spec)
    {
        spec.Default("progressDeadlineSeconds", 600);
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        RollingUpdate(spec.Ensure("strategy"), "25%", "25%");
        Template(spec);
    }

    private static void StatefulSet(JsonObject spec)
    {
        spec.Default("podManagementPolicy", "OrderedReady");
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            strategy.Ensure("rollingUpdate").Default("partition", 0);
        }

        var retention = spec.Ensure("persistentVolumeClaimRetentionPolicy");
        retention.Default("whenDeleted", "Retain");
        retention.Default("whenScaled", "Retain");
        foreach (var claim in spec.Objects("volumeClaimTemplates"))
        {
            claim.Default("apiVersion", "v1");
            claim.Default("kind", "PersistentVolumeClaim");
            claim.Object("spec")?.Default("volumeMode", "Filesystem");
            claim.Default("status", new JsonObject { ["phase"] = "Pending" });
        }

        Template(spec);
    }

    private static void DaemonSet(JsonObject spec)
    {
        spec.Default("revisionHistoryLimit", 10);
        RollingUpdate(spec.Ensure("updateStrategy"), 0, 1);
        Template(spec);
    }

    private static void RollingUpdate(JsonObject strategy, JsonNode maxSurge, JsonNode maxUnavailable)
    {
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            var rolling = strategy.Ensure("rollingUpdate");
            rolling.Default("maxSurge", maxSurge);
            rolling.Default("maxUnavailable", maxUnavailable);
        }
    }

    private static void ReplicationController(JsonObject value, JsonObject spec)
    {
        spec.Default("replicas", 1);
        Template(spec);
        if (spec.Object("template", "metadata").Object("labels") is { } labels)
        {
            spec.Default("selector", labels.DeepClone());
            if (value.Labels().Count == 0)
            {
                value.Metadata()["labels"] = labels.DeepClone();
            }
        }
    }

    private static void Job(JsonObject spec)
    {
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
        }

        spec.Default("parallelism", 1);
        if (spec["backoffLimitPerIndex"] is null)
        {
            spec.Default("backoffLimit", 6);
        }
        else
        {
            spec.Default("backoffLimit", int.MaxValue);
            spec.Default("maxFailedIndexes", spec["completions"]?.DeepClone() ?? 1);
        }

        spec.Default("completionMode", "NonIndexed");
        spec.Default("suspend", false);
        spec.Default("podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
        foreach (var pattern in spec.Object("podFailurePolicy").Objects("rules").SelectMany(rule => rule.Objects("onPodConditions")))
        {
            pattern.Default("status", "True");
        }

        Template(spec);
    }

    private static void CronJob(JsonObject spec)
    {
        spec.Default("concurrencyPolicy", "Allow");
        spec.Default("suspend", false);
        spec.Default("successfulJobsHistoryLimit", 3);
        spec.Default("failedJobsHistoryLimit", 1);
        if (spec.Object("jobTemplate", "spec") is { } job)
        {
            Template(job);
        }
    }

    private static void Service(JsonObject spec)
    {
        spec.Default("sessionAffinity", "None");
        spec.Default("type", "ClusterIP");
        if (spec.Text("sessionAffinity") == "ClientIP")
        {
            spec.Ensure("sessionAffinityConfig").Ensure("clientIP").Default("timeoutSeconds", 10800);
        }

        foreach (var port in spec.Objects("ports"))
        {
            port.Default("protocol", "TCP");
            if (port["targetPort"]?.ToString() is null or "" or "0")
            {
                port["targetPort"] = port["port"]?.DeepClone();
            }
        }

        var type = spec.Text("type");
        if (type != "ExternalName")
        {
            spec.Default("internalTrafficPolicy", "Cluster");
        }

        if (type is "NodePort" or "LoadBalancer")
        {
            spec.Default("externalTrafficPolicy", "Cluster");
        }

        if (type == "LoadBalancer")
        {
            spec.Default("allocateLoadBalancerNodePorts", true);
        }
    }

    /// <summary>stringData is for writing only.</summary>
    private static void MoveStringData(JsonObject value)
    {
        foreach (var (key, text) in value.Map("stringData"))
        {
            value.Ensure("data")[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
        }

        value.Remove("stringData");
    }

    private static void NetworkPolicy(JsonObject spec)
    {
        if (spec["policyTypes"] is null)
        {
            spec["policyTypes"] = spec.List("egress") is { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
        }

        foreach (var port in spec.Objects("ingress").Concat(spec.Objects("egress")).SelectMany(rule => rule.Objects("ports")))
        {
            port.Default("protocol", "TCP");
        }
    }

    private static void RoleBinding(JsonObject value)
    {
        value.Object("roleRef")?.Default("apiGroup", "rbac.authorization.k8s.io");
        foreach (var subject in value.Objects("subjects"))
        {
            if (subject.Text("kind") is "User" or "Group")
            {
                subject.Default("apiGroup", "rbac.authorization.k8s.io");
            }
        }
    }

    private static void CustomResourceDefinition(JsonObject spec)
    {
        spec.Default("conversion", new JsonObject { ["strategy"] = "None" });
        if (spec.Object("names") is { } names && names.Text("kind") is { } kind)
        {
            names.Default("singular", kind.ToLowerInvariant());
            names.Default("listKind", kind + "List");
        }
    }

    private static void Webhooks(JsonObject value, bool mutating)
    {
        foreach (var webhook in value.Objects("webhooks"))
        {
            webhook.Default("failurePolicy", "Fail");
            webhook.Default("matchPolicy", "Equivalent");
            webhook.Default("namespaceSelector", new JsonObject());
            webhook.Default("objectSelector", new JsonObject());
            webhook.Default("timeoutSeconds", 10);
            if (mutating)
            {
                webhook.Default("reinvocationPolicy", "Never");
            }

            webhook.Object("clientConfig", "service")?.Default("port", 443);
            foreach (var rule in webhook.Objects("rules"))
            {
                rule.Default("scope", "*");
            }
        }
    }

    private static void Template(JsonObject owner)
    {
        if (owner.Object("template", "spec") is { } spec)
        {
            PodDefaults.Apply(spec);
        }
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Admission.Policies;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>The mistakes that a real server refuses, in its words: metadata of every object, and the kinds that pipelines use.</summary>
internal static class ObjectValidation
{
    /// <summary>What is wrong with a new object.</summary>
    public static IEnumerable<FieldError> Create(ResourceDefinition resource, JsonObject value)
        => [.. Metadata(resource, value), .. Kind(resource, value, null)];

    /// <summary>What is wrong with a changed object.</summary>
    public static IEnumerable<FieldError> Update(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource)
        => [.. Metadata(resource, value), .. Finalizers(value, old), .. Kind(resource, value, old), .. Immutable(resource, value, old, subresource)];

    private static IEnumerable<FieldError> Metadata(ResourceDefinition resource, JsonObject value)
    {
        var metadata = value.Metadata();
        var name = metadata.Text("name") ?? "";
        if (name.Length == 0)
        {
            yield return FieldError.Required("metadata.name", "name or generateName is required");
        }
        else
        {
            foreach (var problem in Name(resource, name))
            {
                yield return FieldError.Invalid("metadata.name", name, problem);
            }
        }

        foreach (var error in Labels(value.Metadata().Map("labels"), "metadata.labels"))
        {
            yield return error;
        }

        long size = 0;
        foreach (var (key, text) in metadata.Map("annotations"))
        {
            size += key.Length + text.Length;
            foreach (var problem in NameRules.QualifiedName(key.ToLowerInvariant()))
            {
                yield return FieldError.Invalid("metadata.annotations", key, problem);
            }
        }

        if (size > 256 * 1024)
        {
            yield return FieldError.TooLong("metadata.annotations", 256 * 1024);
        }

        foreach (var finalizer in metadata.Texts("finalizers"))
        {
            foreach (var problem in NameRules.QualifiedName(finalizer))
            {
                yield return FieldError.Invalid("metadata.finalizers", finalizer, problem);
            }
        }

        foreach (var error in Owners(metadata))
        {
            yield return error;
        }
    }

    internal static IEnumerable<FieldError> Labels(IReadOnlyDictionary<string, string> labels, string path)
    {
        foreach (var (key, text) in labels)
        {
            foreach (var problem in NameRules.QualifiedName(key))
            {
                yield return FieldError.Invalid(path, key, problem);
            }

            foreach (var problem in NameRules.LabelValue(text))
            {
                yield return FieldError.Invalid(path, text, problem);
            }
        }
    }

    private static IEnumerable<FieldError> Owners(JsonObject metadata)
    {
        var controllers = 0;
        foreach (var owner in metadata.Objects("ownerReferences"))
        {
            foreach (var field in (string[])["apiVersion", "kind", "name", "uid"])
            {
                if (owner.Text(field) is not { Length: > 0 })
                {
                    yield return FieldError.Invalid($"metadata.ownerReferences.{field}", owner.Text(field) ?? "", field == "apiVersion" ? "version must not be empty" : "must not be empty");
                }
            }

            if (owner.Flag("controller") == true && ++controllers == 2)
            {
                yield return FieldError.InvalidAs("metadata.ownerReferences", JsonBody.Text(metadata["ownerReferences"]),
                    "Only one reference can have Controller set to true. Found \"true\" in references for two owners");
            }
        }
    }

    private static IEnumerable<string> Name(ResourceDefinition resource, string name) => resource.StorageName switch
    {
        "namespaces" => NameRules.Label(name),
        "services" => NameRules.DnsLabel(name),
        "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io" or "rolebindings.rbac.authorization.k8s.io"
            or "clusterrolebindings.rbac.authorization.k8s.io" => NameRules.PathSegment(name),
        _ => NameRules.Subdomain(name),
    };

    private static IEnumerable<FieldError> Finalizers(JsonObject value, JsonObject old)
    {
        if (old.Metadata().Text("deletionTimestamp") is null)
        {
            return [];
        }

        var before = old.Metadata().Texts("finalizers").ToHashSet(StringComparer.Ordinal);
        var added = value.Metadata().Texts("finalizers").Where(finalizer => !before.Contains(finalizer)).ToArray();
        return added.Length == 0
            ? []
            : [FieldError.Forbidden("metadata.finalizers", "no new finalizers can be added if the object is being deleted, found new finalizers []string{"
                + string.Join(", ", added.Select(finalizer => $"\"{finalizer}\"")) + "}")];
    }

    private static IEnumerable<FieldError> Kind(ResourceDefinition resource, JsonObject value, JsonObject? old)
    {
        var spec = value.Object("spec") ?? [];
        return resource.StorageName switch
        {
            "pods" => PodValidation.Spec(spec, "spec"),
            "deployments.apps" or "replicasets.apps" or "statefulsets.apps" or "daemonsets.apps" => WorkloadValidation.Workload(resource, spec),
            "jobs.batch" => WorkloadValidation.Job(spec, "spec", generated: true),
            "cronjobs.batch" => WorkloadValidation.CronJob(value, spec),
            "services" => ServiceValidation.Service(spec),
            "ingresses.networking.k8s.io" => ServiceValidation.Ingress(spec),
            "configmaps" => DataValidation.ConfigMap(value),
            "secrets" => DataValidation.Secret(value),
            "persistentvolumeclaims" => DataValidation.Claim(spec),
            "poddisruptionbudgets.policy" => WorkloadValidation.DisruptionBudget(spec),
            "horizontalpodautoscalers.autoscaling" => WorkloadValidation.Autoscaler(spec),
            "networkpolicies.networking.k8s.io" => WorkloadValidation.Selector(spec.Object("podSelector"), "spec.podSelector"),
            "leases.coordination.k8s.io" => DataValidation.Lease(spec),
            "customresourcedefinitions.apiextensions.k8s.io" => DataValidation.CustomResourceDefinition(value, spec),
            "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io" => DataValidation.Role(value, !resource.Namespaced),
            "priorityclasses.scheduling.k8s.io" => DataValidation.PriorityClass(value),
            "limitranges" => DataValidation.LimitRange(spec),
            "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io" => DataValidation.RoleBinding(value),
            "validatingadmissionpolicies.admissionregistration.k8s.io" => PolicyValidation.Policy(spec),
            "validatingadmissionpolicybindings.admissionregistration.k8s.io" => PolicyValidation.Binding(spec),
            _ when resource.Custom is { } => CustomValidation.Check(resource, value, old),
            _ => [],
        };
    }

    private static IEnumerable<FieldError> Immutable(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource)
    {
        var (spec, before) = (value.Object("spec") ?? [], old.Object("spec") ?? []);
        switch (resource.StorageName)
        {
            case "deployments.apps" or "replicasets.apps" or "daemonsets.apps":
                return Same(spec, before, "selector");
            case "statefulsets.apps":
                return StatefulSet(spec, before);
            case "jobs.batch":
                return Job(spec, before);
            case "services":
                return Service(spec, before);
            case "pods" when subresource is null:
                return PodValidation.Update(spec, before);
            case "configmaps" or "secrets":
                return DataValidation.Update(resource, value, old);
            case "persistentvolumeclaims":
                return ClaimUpdate(spec, before);
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                return value["roleRef"].SameAs(old["roleRef"]) ? [] : [FieldError.InvalidAs("roleRef", Go(value["roleRef"]), "cannot change roleRef")];
            case "storageclasses.storage.k8s.io":
                return ((string[])["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"])
                    .Where(field => !value[field].SameAs(old[field]))
                    .Select(field => FieldError.Forbidden(field, "updates to " + field + " are forbidden."));
            default:
                return [];
        }
    }

    private static IEnumerable<FieldError> Same(JsonObject spec, JsonObject before, string field)
        => spec[field].SameAs(before[field]) ? [] : [FieldError.InvalidAs("spec." + field, Go(spec[field]), "field is immutable")];

    private static IEnumerable<FieldError> StatefulSet(JsonObject spec, JsonObject before)
    {
        string[] free = ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"];
        var changed = spec.Select(pair => pair.Key).Union(before.Select(pair => pair.Key)).Any(field => !free.Contains(field) && !spec[field].SameAs(before[field]));
        return changed
            ? [FieldError.Forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")]
            : [];
    }

    private static IEnumerable<FieldError> Job(JsonObject spec, JsonObject before)
    {
        var errors = new List<FieldError>();
        foreach (var field in (string[])["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"])
        {
            errors.AddRange(Same(spec, before, field));
        }

        if (spec.Text("completionMode") != "Indexed")
        {
            errors.AddRange(Same(spec, before, "completions"));
        }

        if (!spec["template"].SameAs(before["template"]) && !(before.Flag("suspend") == true && spec.Flag("suspend") == true))
        {
            errors.Add(FieldError.InvalidAs("spec.template", Go(spec["template"]), "field is immutable"));
        }

        return errors;
    }

    private static IEnumerable<FieldError> Service(JsonObject spec, JsonObject before)
    {
        if (spec.Text("type") == "ExternalName" || before.Text("type") == "ExternalName"
            || before.Text("clusterIP") is not { Length: > 0 } address || spec.Text("clusterIP") is not { } asked || asked == address)
        {
            return [];
        }

        return
        [
            FieldError.InvalidAs("spec.clusterIPs[0]", $"[]string{{\"{spec.Texts("clusterIPs").FirstOrDefault() ?? asked}\"}}", "may not change once set"),
        ];
    }

    private static IEnumerable<FieldError> ClaimUpdate(JsonObject spec, JsonObject before)
    {
        static JsonObject Fixed(JsonObject from)
        {
            var copy = from.Copy();
            copy.Remove("volumeName");
            copy.Remove("volumeAttributesClassName");
            copy.Object("resources")?.Remove("requests");
            return copy;
        }

        return Fixed(spec).SameAs(Fixed(before))
            ? []
            : [FieldError.Forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")];
    }

    /// <summary>A value that a real server prints as a Go struct; JSON says the same.</summary>
    private static string Go(JsonNode? value) => value is null ? "null" : JsonBody.Text(value);
}

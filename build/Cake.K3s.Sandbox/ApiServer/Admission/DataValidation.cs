using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Mistakes in the kinds that hold data and rules.</summary>
internal static class DataValidation
{
    private const int MostBytes = 1024 * 1024;

    public static IEnumerable<FieldError> ConfigMap(JsonObject value)
    {
        var size = 0L;
        foreach (var field in (string[])["data", "binaryData"])
        {
            foreach (var (key, content) in value.Object(field) ?? [])
            {
                size += content.Text()?.Length ?? 0;
                foreach (var problem in NameRules.ConfigKey(key))
                {
                    yield return FieldError.Invalid($"{field}[{key}]", key, problem);
                }
            }
        }

        foreach (var (key, _) in value.Object("binaryData") ?? [])
        {
            if (value.Object("data")?.ContainsKey(key) == true)
            {
                yield return FieldError.Invalid($"data[{key}]", key, "duplicate of key present in binaryData");
            }
        }

        if (size > MostBytes)
        {
            yield return FieldError.TooLong("", MostBytes) with { Field = "[]" };
        }
    }

    public static IEnumerable<FieldError> Secret(JsonObject value)
    {
        var size = 0L;
        foreach (var (key, content) in value.Object("data") ?? [])
        {
            size += (content.Text()?.Length ?? 0) * 3L / 4;
            foreach (var problem in NameRules.ConfigKey(key))
            {
                yield return FieldError.Invalid($"data[{key}]", key, problem);
            }
        }

        if (size > MostBytes)
        {
            yield return FieldError.TooLong("data", MostBytes);
        }

        string[] required = value.Text("type") switch
        {
            "kubernetes.io/tls" => ["tls.crt", "tls.key"],
            "kubernetes.io/dockerconfigjson" => [".dockerconfigjson"],
            "kubernetes.io/dockercfg" => [".dockercfg"],
            "kubernetes.io/ssh-auth" => ["ssh-privatekey"],
            _ => [],
        };
        foreach (var key in required)
        {
            if (value.Object("data")?[key] is null)
            {
                yield return FieldError.Required($"data[{key}]");
            }
        }
    }

    /// <summary>What may not change in a ConfigMap or Secret that exists.</summary>
    public static IEnumerable<FieldError> Update(ResourceDefinition resource, JsonObject value, JsonObject old)
    {
        if (resource.StorageName == "secrets" && value.Text("type") != old.Text("type"))
        {
            yield return FieldError.Invalid("type", value.Text("type"), "field is immutable");
        }

        if (old.Flag("immutable") != true)
        {
            yield break;
        }

        if (value.Flag("immutable") != true)
        {
            yield return FieldError.Forbidden("immutable", "field is immutable when `immutable` is set");
        }

        foreach (var field in (string[])["data", "binaryData"])
        {
            if (!value[field].SameAs(old[field]))
            {
                yield return FieldError.Forbidden(field, "field is immutable when `immutable` is set");
            }
        }
    }

    public static IEnumerable<FieldError> Claim(JsonObject spec)
    {
        if (spec.List("accessModes") is not { Count: > 0 })
        {
            yield return FieldError.Required("spec.accessModes", "at least 1 access mode is required");
        }

        foreach (var mode in spec.Texts("accessModes").Where(mode => mode is not ("ReadOnlyMany" or "ReadWriteMany" or "ReadWriteOnce" or "ReadWriteOncePod")))
        {
            yield return FieldError.NotSupported("spec.accessModes", mode, "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod");
        }

        if (spec.Object("resources", "requests")?["storage"] is null)
        {
            yield return FieldError.Required("spec.resources[storage]");
        }
    }

    public static IEnumerable<FieldError> Lease(JsonObject spec)
    {
        if (spec.Integer("leaseDurationSeconds") is <= 0)
        {
            yield return FieldError.Invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0");
        }

        if (spec.Integer("leaseTransitions") < 0)
        {
            yield return FieldError.Invalid("spec.leaseTransitions", spec["leaseTransitions"], "must be greater than or equal to 0");
        }
    }

    public static IEnumerable<FieldError> Role(JsonObject value, bool isCluster)
    {
        var at = 0;
        foreach (var rule in value.Objects("rules"))
        {
            var here = $"rules[{at++}]";
            if (rule.List("verbs") is not { Count: > 0 })
            {
                yield return FieldError.Required($"{here}.verbs", "verbs must contain at least one value");
            }

            if (rule.List("nonResourceURLs") is { Count: > 0 })
            {
                if (!isCluster)
                {
                    yield return FieldError.Invalid($"{here}.nonResourceURLs", rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs");
                }

                continue;
            }

            if (rule.List("apiGroups") is not { Count: > 0 })
            {
                yield return FieldError.Required($"{here}.apiGroups", "resource rules must supply at least one api group");
            }

            if (rule.List("resources") is not { Count: > 0 })
            {
                yield return FieldError.Required($"{here}.resources", "resource rules must supply at least one resource");
            }
        }
    }

    public static IEnumerable<FieldError> PriorityClass(JsonObject value)
        => value.Integer("value") > 1_000_000_000 && value.Name()?.StartsWith("system-", StringComparison.Ordinal) != true
            ? [FieldError.Forbidden("value", "maximum allowed value of a user defined priority is 1000000000")]
            : [];

    public static IEnumerable<FieldError> LimitRange(JsonObject spec)
    {
        var at = 0;
        foreach (var limit in spec.Objects("limits"))
        {
            var here = $"spec.limits[{at++}]";
            foreach (var (list, name) in ((string, string)[])[("defaultRequest", "default request"), ("default", "default")])
            {
                foreach (var (resource, text) in limit.Map(list))
                {
                    if (limit.Map("max").TryGetValue(resource, out var most) && Quantities.Nano(text) > Quantities.Nano(most))
                    {
                        yield return FieldError.Invalid($"{here}.{list}[{resource}]", text, $"{name} value {text} is greater than max value {most}");
                    }
                }
            }
        }
    }

    public static IEnumerable<FieldError> RoleBinding(JsonObject value)
    {
        if (value.Object("roleRef").Text("name") is not { Length: > 0 })
        {
            yield return FieldError.Required("roleRef.name");
        }

        if (value.Object("roleRef").Text("kind") is { } kind && kind is not ("Role" or "ClusterRole"))
        {
            yield return FieldError.NotSupported("roleRef.kind", kind, "ClusterRole", "Role");
        }
    }

    public static IEnumerable<FieldError> CustomResourceDefinition(JsonObject value, JsonObject spec)
    {
        var names = spec.Object("names");
        foreach (var field in (string[])["plural", "kind"])
        {
            if (names.Text(field) is not { Length: > 0 })
            {
                yield return FieldError.Required($"spec.names.{field}");
            }
        }

        if (spec.Text("group") is not { Length: > 0 } group)
        {
            yield return FieldError.Required("spec.group");
        }
        else if (names.Text("plural") is { } plural && value.Name() != $"{plural}.{group}")
        {
            yield return FieldError.Invalid("metadata.name", value.Name(), "must be spec.names.plural+\".\"+spec.group");
        }

        if (spec.Text("scope") is not ("Namespaced" or "Cluster"))
        {
            yield return spec.Text("scope") is { Length: > 0 } scope
                ? FieldError.NotSupported("spec.scope", scope, "Cluster", "Namespaced")
                : FieldError.Required("spec.scope");
        }

        var versions = spec.Objects("versions").ToList();
        for (var at = 0; at < versions.Count; at++)
        {
            if (versions[at].Object("schema", "openAPIV3Schema") is not { } schema)
            {
                yield return FieldError.Required($"spec.versions[{at}].schema.openAPIV3Schema", "schemas are required");
                continue;
            }

            // The schema of a single version is known by its old place.
            foreach (var error in CustomRules.CheckDefinition(schema, versions.Count == 1 ? "spec.validation.openAPIV3Schema" : $"spec.versions[{at}].schema.openAPIV3Schema"))
            {
                yield return error;
            }
        }

        if (versions.Count(version => version.Flag("storage") == true) != 1)
        {
            yield return FieldError.InvalidAs("spec.versions", JsonBody.Text(spec["versions"]), "must have exactly one version marked as storage version");
        }
    }
}

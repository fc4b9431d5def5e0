using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Mistakes in pods.</summary>
internal static class PodValidation
{
    private static readonly string[] VolumeSources =
    [
        "hostPath", "emptyDir", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "secret", "nfs", "iscsi", "glusterfs", "persistentVolumeClaim",
        "rbd", "flexVolume", "cinder", "cephfs", "flocker", "downwardAPI", "fc", "azureFile", "configMap", "vsphereVolume", "quobyte", "azureDisk",
        "photonPersistentDisk", "projected", "portworxVolume", "scaleIO", "storageos", "csi", "ephemeral", "image",
    ];

    /// <summary>What is wrong with a pod's spec, alone or in a template; claims are the volumes that a StatefulSet adds to it.</summary>
    public static IEnumerable<FieldError> Spec(JsonObject spec, string path, IEnumerable<string>? claims = null)
    {
        var errors = new List<FieldError>();
        var volumes = Volumes(spec, path, errors);
        volumes.UnionWith(claims ?? []);
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (!spec.Objects("containers").Any())
        {
            errors.Add(FieldError.Required($"{path}.containers"));
        }

        foreach (var list in (string[])["initContainers", "containers"])
        {
            var at = 0;
            foreach (var container in spec.Objects(list))
            {
                Container(container, $"{path}.{list}[{at}]", names, volumes, sidecar: list == "initContainers", errors);
                at++;
            }
        }

        OneOf(spec, "restartPolicy", path, errors, "Always", "OnFailure", "Never");
        OneOf(spec, "dnsPolicy", path, errors, "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None");
        if (spec.Text("hostname") is { Length: > 0 } hostname)
        {
            errors.AddRange(NameRules.Label(hostname).Select(problem => FieldError.Invalid($"{path}.hostname", hostname, problem)));
        }

        if (spec.Integer("activeDeadlineSeconds") is < 1)
        {
            errors.Add(FieldError.Invalid($"{path}.activeDeadlineSeconds", spec["activeDeadlineSeconds"], "must be between 1 and 2147483647, inclusive"));
        }

        foreach (var field in (string[])["serviceAccountName", "nodeName"])
        {
            if (spec.Text(field) is { Length: > 0 } name)
            {
                errors.AddRange(NameRules.Subdomain(name).Select(problem => FieldError.Invalid($"{path}.{field}", name, problem)));
            }
        }

        errors.AddRange(ObjectValidation.Labels(spec.Map("nodeSelector"), $"{path}.nodeSelector"));
        Tolerations(spec, path, errors);
        return errors;
    }

    /// <summary>What may not change in a pod that exists.</summary>
    public static IEnumerable<FieldError> Update(JsonObject spec, JsonObject before)
    {
        var (now, then) = (Fixed(spec), Fixed(before));
        return now.SameAs(then)
            ? []
            : [FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")];
    }

    private static JsonObject Fixed(JsonObject spec)
    {
        var copy = spec.Copy();
        foreach (var field in (string[])["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "nodeName", "ephemeralContainers"])
        {
            copy.Remove(field);
        }

        foreach (var container in copy.Objects("containers").Concat(copy.Objects("initContainers")))
        {
            container.Remove("image");
        }

        return copy;
    }

    private static HashSet<string> Volumes(JsonObject spec, string path, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var at = 0;
        foreach (var volume in spec.Objects("volumes"))
        {
            var here = $"{path}.volumes[{at++}]";
            var name = volume.Text("name") ?? "";
            if (name.Length == 0)
            {
                errors.Add(FieldError.Required($"{here}.name"));
            }
            else
            {
                errors.AddRange(NameRules.Label(name).Select(problem => FieldError.Invalid($"{here}.name", name, problem)));
                if (!names.Add(name))
                {
                    errors.Add(FieldError.Duplicate($"{here}.name", name));
                }
            }

            var sources = VolumeSources.Where(volume.ContainsKey).ToArray();
            if (sources.Length == 0)
            {
                errors.Add(FieldError.Required(here, "must specify a volume type"));
            }

            foreach (var extra in sources.Skip(1))
            {
                errors.Add(FieldError.Forbidden($"{here}.{extra}", "may not specify more than 1 volume type"));
            }

            if (volume.Object("secret") is { } secret && secret.Text("secretName") is not { Length: > 0 })
            {
                errors.Add(FieldError.Required($"{here}.secret.secretName"));
            }

            if (volume.Object("configMap") is { } configMap && configMap.Text("name") is not { Length: > 0 })
            {
                errors.Add(FieldError.Required($"{here}.configMap.name"));
            }

            if (volume.Object("persistentVolumeClaim") is { } claim && claim.Text("claimName") is not { Length: > 0 })
            {
                errors.Add(FieldError.Required($"{here}.persistentVolumeClaim.claimName"));
            }

            if (volume.Object("hostPath") is { } host && host.Text("path") is not { Length: > 0 })
            {
                errors.Add(FieldError.Required($"{here}.hostPath.path"));
            }
        }

        return names;
    }

    private static void Container(
        JsonObject container, string path, HashSet<string> names, HashSet<string> volumes, bool sidecar, List<FieldError> errors)
    {
        var name = container.Text("name") ?? "";
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required($"{path}.name"));
        }
        else
        {
            errors.AddRange(NameRules.Label(name).Select(problem => FieldError.Invalid($"{path}.name", name, problem)));
            if (!names.Add(name))
            {
                errors.Add(FieldError.Duplicate($"{path}.name", name));
            }
        }

        if (container.Text("image") is not { Length: > 0 } image)
        {
            errors.Add(FieldError.Required($"{path}.image"));
        }
        else if (image.Trim() != image && path.StartsWith("spec.containers", StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid($"{path}.image", image, "must not have leading or trailing whitespace"));
        }

        Security(container.Object("securityContext"), $"{path}.securityContext", errors);
        OneOf(container, "imagePullPolicy", path, errors, "Always", "IfNotPresent", "Never");
        OneOf(container, "terminationMessagePolicy", path, errors, "FallbackToLogsOnError", "File");
        Ports(container, path, errors);
        Environment(container, path, errors);
        Sources(container, path, errors);
        Mounts(container, path, volumes, errors);
        Resources(container, path, errors);
        var isSidecar = sidecar && container.Text("restartPolicy") == "Always";
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container.Object(probe) is not { } content)
            {
                continue;
            }

            if (sidecar && !isSidecar)
            {
                errors.Add(FieldError.Forbidden($"{path}.{probe}", "may not be set for init containers without restartPolicy=Always"));
            }
            else
            {
                Probe(content, $"{path}.{probe}", probe != "readinessProbe", errors);
            }
        }

        if (sidecar && !isSidecar && container.Object("lifecycle") is not null)
        {
            errors.Add(FieldError.Forbidden($"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always"));
        }

        Handler(container.Object("lifecycle", "preStop"), $"{path}.lifecycle.preStop", errors);
        Handler(container.Object("lifecycle", "postStart"), $"{path}.lifecycle.postStart", errors);
    }

    private static void Ports(JsonObject container, string path, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var at = 0;
        foreach (var port in container.Objects("ports"))
        {
            var here = $"{path}.ports[{at++}]";
            if (port.Text("name") is { Length: > 0 } name)
            {
                errors.AddRange(PortName(name).Select(problem => FieldError.Invalid($"{here}.name", name, problem)));
                if (!names.Add(name))
                {
                    errors.Add(FieldError.Duplicate($"{here}.name", name));
                }
            }

            if ((port.Integer("containerPort") ?? 0) == 0)
            {
                errors.Add(FieldError.Required($"{here}.containerPort"));
            }
            else
            {
                PortNumber(port["containerPort"], $"{here}.containerPort", errors);
            }

            if (port.Integer("hostPort") is not (null or 0))
            {
                PortNumber(port["hostPort"], $"{here}.hostPort", errors);
            }

            OneOf(port, "protocol", here, errors, "SCTP", "TCP", "UDP");
        }
    }

    private static void Environment(JsonObject container, string path, List<FieldError> errors)
    {
        var at = 0;
        foreach (var variable in container.Objects("env"))
        {
            var here = $"{path}.env[{at++}]";
            var name = variable.Text("name") ?? "";
            if (name.Length == 0)
            {
                errors.Add(FieldError.Required($"{here}.name"));
            }
            else
            {
                errors.AddRange(NameRules.EnvironmentVariable(name).Select(problem => FieldError.Invalid($"{here}.name", name, problem)));
            }

            if (variable.Object("valueFrom") is not { } from)
            {
                continue;
            }

            if (variable.Text("value") is { Length: > 0 })
            {
                errors.Add(FieldError.Invalid($"{here}.valueFrom", "", "may not be specified when `value` is not empty"));
            }

            if (from.Count == 0)
            {
                errors.Add(FieldError.Invalid($"{here}.valueFrom", "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"));
            }
            else if (from.Count > 1)
            {
                errors.Add(FieldError.Invalid($"{here}.valueFrom", "", "may not have more than one field specified at a time"));
            }

            foreach (var reference in (string[])["configMapKeyRef", "secretKeyRef"])
            {
                if (from.Object(reference) is { } key && key.Text("key") is not { Length: > 0 })
                {
                    errors.Add(FieldError.Required($"{here}.valueFrom.{reference}.key"));
                }
            }
        }
    }

    private static void Sources(JsonObject container, string path, List<FieldError> errors)
    {
        var at = 0;
        foreach (var source in container.Objects("envFrom"))
        {
            var here = $"{path}.envFrom[{at++}]";
            foreach (var reference in (string[])["configMapRef", "secretRef"])
            {
                if (source.Object(reference) is { } named && named.Text("name") is not { Length: > 0 })
                {
                    errors.Add(FieldError.Required($"{here}.{reference}.name"));
                }
            }
        }
    }

    private static void Security(JsonObject? context, string path, List<FieldError> errors)
    {
        foreach (var field in (string[])["runAsUser", "runAsGroup"])
        {
            if (context.Integer(field) is < 0 or > int.MaxValue)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", context![field], "must be between 0 and 2147483647, inclusive"));
            }
        }

        if (context.Flag("allowPrivilegeEscalation") == false && context.Flag("privileged") == true)
        {
            errors.Add(FieldError.Invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
        }
    }

    private static void Mounts(JsonObject container, string path, HashSet<string> volumes, List<FieldError> errors)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        var at = 0;
        foreach (var mount in container.Objects("volumeMounts"))
        {
            var here = $"{path}.volumeMounts[{at++}]";
            if (mount.Text("name") is not { Length: > 0 } name)
            {
                errors.Add(FieldError.Required($"{here}.name"));
            }
            else if (!volumes.Contains(name))
            {
                errors.Add(FieldError.NotFound($"{here}.name", name));
            }

            if (mount.Text("mountPath") is not { Length: > 0 } mountPath)
            {
                errors.Add(FieldError.Required($"{here}.mountPath"));
            }
            else if (!paths.Add(mountPath))
            {
                errors.Add(FieldError.Invalid($"{here}.mountPath", mountPath, "must be unique"));
            }
        }
    }

    private static void Resources(JsonObject container, string path, List<FieldError> errors)
    {
        var limits = container.Object("resources", "limits");
        foreach (var (resource, quantity) in container.Object("resources").Map("requests"))
        {
            if (limits.Text(resource) is { } limit && Quantities.Nano(quantity) > Quantities.Nano(limit))
            {
                errors.Add(FieldError.Invalid($"{path}.resources.requests", quantity, $"must be less than or equal to {resource} limit of {limit}"));
            }
        }

        foreach (var list in (string[])["limits", "requests"])
        {
            foreach (var (resource, quantity) in container.Object("resources").Map(list))
            {
                if (Quantities.Nano(quantity) < 0)
                {
                    errors.Add(FieldError.Invalid($"{path}.resources.{list}[{resource}]", quantity, "must be greater than or equal to 0"));
                }

                if (!resource.Contains('/', StringComparison.Ordinal) && resource is not ("cpu" or "memory" or "ephemeral-storage") && !resource.StartsWith("hugepages-", StringComparison.Ordinal))
                {
                    errors.Add(FieldError.Invalid($"{path}.resources.{list}[{resource}]", resource, "must be a standard resource type or fully qualified"));
                }
            }
        }
    }

    private static void Probe(JsonObject probe, string path, bool oneSuccess, List<FieldError> errors)
    {
        Handler(probe, path, errors);
        foreach (var field in (string[])["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"])
        {
            if (probe.Integer(field) < 0)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", probe[field], "must be greater than or equal to 0"));
            }
        }

        if (oneSuccess && probe.Integer("successThreshold") is not (null or 1))
        {
            errors.Add(FieldError.Invalid($"{path}.successThreshold", probe["successThreshold"], "must be 1"));
        }
    }

    private static void Handler(JsonObject? handler, string path, List<FieldError> errors)
    {
        if (handler is null)
        {
            return;
        }

        string[] kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
        var given = kinds.Where(handler.ContainsKey).ToArray();
        if (given.Length == 0)
        {
            errors.Add(FieldError.Required(path, "must specify a handler type"));
        }

        foreach (var extra in given.Skip(1))
        {
            errors.Add(FieldError.Forbidden($"{path}.{extra}", "may not specify more than 1 handler type"));
        }

        if (handler.Object("exec") is { } exec && exec.List("command") is not { Count: > 0 })
        {
            errors.Add(FieldError.Required($"{path}.exec.command"));
        }

        foreach (var kind in (string[])["httpGet", "tcpSocket"])
        {
            if (handler.Object(kind) is { } action)
            {
                PortReference(action["port"], $"{path}.{kind}.port", errors);
            }
        }
    }

    internal static void PortReference(JsonNode? port, string path, List<FieldError> errors)
    {
        if (port.Text() is { } name)
        {
            errors.AddRange(PortName(name).Select(problem => FieldError.Invalid(path, name, problem)));
        }
        else
        {
            PortNumber(port ?? 0, path, errors);
        }
    }

    internal static void PortNumber(JsonNode? port, string path, List<FieldError> errors)
    {
        if (port.Integer() is not (>= 1 and <= 65535))
        {
            errors.Add(FieldError.Invalid(path, port, "must be between 1 and 65535, inclusive"));
        }
    }

    internal static IEnumerable<string> PortName(string name)
    {
        if (name.Length > 15)
        {
            yield return "must be no more than 15 characters";
        }

        if (name.Length == 0 || name.AsSpan().IndexOfAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-") >= 0)
        {
            yield return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
        }

        if (!name.Any(char.IsAsciiLetter))
        {
            yield return "must contain at least one letter (a-z)";
        }

        if (name.Contains("--", StringComparison.Ordinal))
        {
            yield return "must not contain consecutive hyphens";
        }

        if (name.StartsWith('-') || name.EndsWith('-'))
        {
            yield return "must not begin or end with a hyphen";
        }
    }

    internal static void OneOf(JsonObject value, string field, string path, List<FieldError> errors, params string[] allowed)
    {
        if (value.Text(field) is { } text && !allowed.Contains(text))
        {
            errors.Add(FieldError.NotSupported($"{path}.{field}", text, allowed));
        }
    }

    private static void Tolerations(JsonObject spec, string path, List<FieldError> errors)
    {
        var at = 0;
        foreach (var toleration in spec.Objects("tolerations"))
        {
            var here = $"{path}.tolerations[{at++}]";
            if (toleration.Text("operator") is { Length: > 0 } @operator and not ("Equal" or "Exists"))
            {
                errors.Add(FieldError.NotSupported($"{here}.operator", @operator, "Equal", "Exists"));
            }

            if (toleration.Text("key") is not { Length: > 0 } && toleration.Text("operator") != "Exists")
            {
                errors.Add(FieldError.Invalid($"{here}.operator", toleration.Text("operator") ?? "", "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
            }

            if (toleration.Text("operator") == "Exists" && toleration.Text("value") is { Length: > 0 })
            {
                errors.Add(FieldError.Invalid($"{here}.operator", toleration["value"], "value must be empty when `operator` is 'Exists'"));
            }
        }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>The columns of the built-in kinds, as a real server prints them.</summary>
internal static class BuiltInColumns
{
    public static IReadOnlyList<Column> Of(ResourceDefinition resource) => [Name, .. ByKind(resource)];

    private static readonly Column Name = new("Name", (value, _) => value.Name()) { Format = "name" };

    private static readonly Column Age = new("Age", (value, now) => Ages.Since(value.Metadata().Text("creationTimestamp"), now));

    private static IEnumerable<Column> ByKind(ResourceDefinition resource) => resource.StorageName switch
    {
        "pods" => PodColumns.All,
        "services" =>
        [
            Text("Type", value => value.Object("spec").Text("type")),
            Text("Cluster-IP", value => value.Object("spec").Text("clusterIP") ?? "<none>"),
            Text("External-IP", ExternalIps),
            Text("Port(s)", ServicePorts),
            Age,
            Wide("Selector", value => Pairs(value.Object("spec").Map("selector"))),
        ],
        "namespaces" => [Text("Status", value => value.Object("status").Text("phase")), Age],
        "nodes" =>
        [
            Text("Status", NodeStatus),
            Text("Roles", NodeRoles),
            Age,
            Text("Version", value => value.Object("status", "nodeInfo").Text("kubeletVersion")),
            Wide("Internal-IP", value => NodeAddress(value, "InternalIP")),
            Wide("External-IP", value => NodeAddress(value, "ExternalIP")),
            Wide("OS-Image", value => value.Object("status", "nodeInfo").Text("osImage") ?? "<unknown>"),
            Wide("Kernel-Version", value => value.Object("status", "nodeInfo").Text("kernelVersion") ?? "<unknown>"),
            Wide("Container-Runtime", value => value.Object("status", "nodeInfo").Text("containerRuntimeVersion") ?? "<unknown>"),
        ],
        "configmaps" => [Number("Data", value => Count(value, "data") + Count(value, "binaryData")), Age],
        "secrets" => [Text("Type", value => value.Text("type")), Number("Data", value => Count(value, "data")), Age],
        "serviceaccounts" => [Number("Secrets", value => value.List("secrets")?.Count ?? 0), Age],
        "endpoints" => [Text("Endpoints", Endpoints), Age],
        "events" =>
        [
            new Column("Last Seen", (value, now) => LastSeen(value, now)),
            Text("Type", value => value.Text("type")),
            Text("Reason", value => value.Text("reason")),
            Text("Object", value => ObjectOf(value, "involvedObject", "regarding")),
            Wide("Subobject", value => (value.Object("involvedObject") ?? value.Object("regarding")).Text("fieldPath")),
            Wide("Source", value => Source(value)),
            Text("Message", value => (value.Text("message") ?? value.Text("note"))?.Trim()),
            new Column("First Seen", (value, now) => Ages.Since(value.Text("firstTimestamp") ?? value.Text("deprecatedFirstTimestamp") ?? value.Text("eventTime"), now)) { Priority = 1 },
            Wide("Count", value => (value.Integer("count") ?? value.Integer("deprecatedCount") ?? 1).ToString(CultureInfo.InvariantCulture)),
            new Column("Name", (value, _) => value.Name()) { Priority = 1 },
        ],
        "persistentvolumeclaims" =>
        [
            Text("Status", value => value.Metadata().Text("deletionTimestamp") is null ? value.Object("status").Text("phase") : "Terminating"),
            Text("Volume", value => value.Object("spec").Text("volumeName")),
            Text("Capacity", value => value.Object("status", "capacity").Text("storage")),
            Text("Access Modes", value => AccessModes(value.Object("status"))),
            Text("StorageClass", value => value.Object("spec").Text("storageClassName")),
            Text("VolumeAttributesClass", value => value.Object("spec").Text("volumeAttributesClassName") ?? "<unset>"),
            Age,
            Wide("VolumeMode", value => value.Object("spec").Text("volumeMode") ?? "<unset>"),
        ],
        "persistentvolumes" =>
        [
            Text("Capacity", value => value.Object("spec", "capacity").Text("storage")),
            Text("Access Modes", value => AccessModes(value.Object("spec"))),
            Text("Reclaim Policy", value => value.Object("spec").Text("persistentVolumeReclaimPolicy")),
            Text("Status", value => value.Object("status").Text("phase")),
            Text("Claim", value => value.Object("spec", "claimRef") is { } claim ? $"{claim.Text("namespace")}/{claim.Text("name")}" : ""),
            Text("StorageClass", value => value.Object("spec").Text("storageClassName")),
            Text("Reason", value => value.Object("status").Text("reason")),
            Age,
            Wide("VolumeMode", value => value.Object("spec").Text("volumeMode") ?? "<unset>"),
        ],
        "resourcequotas" => [Age, Text("Request", value => Quota(value, limits: false)), Text("Limit", value => Quota(value, limits: true))],
        "limitranges" => [Text("Created At", value => value.Metadata().Text("creationTimestamp"))],
        "replicationcontrollers" or "replicasets.apps" =>
        [
            Number("Desired", value => value.Object("spec").Integer("replicas") ?? 0),
            Number("Current", value => value.Object("status").Integer("replicas") ?? 0),
            Number("Ready", value => value.Object("status").Integer("readyReplicas") ?? 0),
            Age,
            .. Template,
        ],
        "deployments.apps" =>
        [
            Text("Ready", value => $"{value.Object("status").Integer("readyReplicas") ?? 0}/{value.Object("spec").Integer("replicas") ?? 0}"),
            Number("Up-to-date", value => value.Object("status").Integer("updatedReplicas") ?? 0),
            Number("Available", value => value.Object("status").Integer("availableReplicas") ?? 0),
            Age,
            .. Template,
        ],
        "statefulsets.apps" =>
        [
            Text("Ready", value => $"{value.Object("status").Integer("readyReplicas") ?? 0}/{value.Object("spec").Integer("replicas") ?? 0}"),
            Age,
            .. Containers,
        ],
        "daemonsets.apps" =>
        [
            Number("Desired", value => value.Object("status").Integer("desiredNumberScheduled") ?? 0),
            Number("Current", value => value.Object("status").Integer("currentNumberScheduled") ?? 0),
            Number("Ready", value => value.Object("status").Integer("numberReady") ?? 0),
            Number("Up-to-date", value => value.Object("status").Integer("updatedNumberScheduled") ?? 0),
            Number("Available", value => value.Object("status").Integer("numberAvailable") ?? 0),
            Text("Node Selector", value => Pairs(value.Object("spec", "template").Object("spec").Map("nodeSelector"))),
            Age,
            .. Template,
        ],
        "controllerrevisions.apps" =>
        [
            Text("Controller", value => value.Metadata().Objects("ownerReferences").FirstOrDefault() is { } owner
                ? $"{Lower(owner.Text("kind"))}{GroupSuffix(owner.Text("apiVersion"))}/{owner.Text("name")}"
                : "<none>"),
            Number("Revision", value => value.Integer("revision") ?? 0),
            Age,
        ],
        "jobs.batch" =>
        [
            Text("Status", JobStatus),
            Text("Completions", value => $"{value.Object("status").Integer("succeeded") ?? 0}/{value.Object("spec").Integer("completions")?.ToString(CultureInfo.InvariantCulture) ?? "1"}"),
            new Column("Duration", (value, now) => JobDuration(value, now)),
            Age,
            .. Template,
        ],
        "cronjobs.batch" =>
        [
            Text("Schedule", value => value.Object("spec").Text("schedule")),
            Text("Timezone", value => value.Object("spec").Text("timeZone") ?? "<none>"),
            Text("Suspend", value => value.Object("spec").Flag("suspend") == true ? "True" : "False"),
            Number("Active", value => value.Object("status").List("active")?.Count ?? 0),
            new Column("Last Schedule", (value, now) => value.Object("status").Text("lastScheduleTime") is { } time ? Ages.Since(time, now) : "<none>"),
            Age,
            Wide("Containers", value => string.Join(',', PodTemplate(value.Object("spec", "jobTemplate")).Select(container => container.Text("name")))),
            Wide("Images", value => string.Join(',', PodTemplate(value.Object("spec", "jobTemplate")).Select(container => container.Text("image")))),
            Wide("Selector", value => "<none>"),
        ],
        "ingresses.networking.k8s.io" =>
        [
            Text("Class", value => value.Object("spec").Text("ingressClassName") ?? value.Object("metadata", "annotations").Text("kubernetes.io/ingress.class") ?? "<none>"),
            Text("Hosts", value => value.Object("spec").Objects("rules").Select(rule => rule.Text("host")).Where(host => host is { Length: > 0 }).ToArray() is { Length: > 0 } hosts ? string.Join(',', hosts) : "*"),
            Text("Address", value => string.Join(',', value.Object("status", "loadBalancer").Objects("ingress").Select(point => point.Text("ip") ?? point.Text("hostname")))),
            Text("Ports", value => value.Object("spec").List("tls") is { Count: > 0 } ? "80, 443" : "80"),
            Age,
        ],
        "ingressclasses.networking.k8s.io" =>
        [
            Text("Controller", value => value.Object("spec").Text("controller")),
            Text("Parameters", value => value.Object("spec", "parameters") is { } parameters ? $"{Lower(parameters.Text("kind"))}/{parameters.Text("name")}" : "<none>"),
            Age,
        ],
        "networkpolicies.networking.k8s.io" => [Text("Pod-Selector", value => Selector(value.Object("spec", "podSelector"))), Age],
        "poddisruptionbudgets.policy" =>
        [
            Text("Min Available", value => value.Object("spec")?["minAvailable"]?.ToString() ?? "N/A"),
            Text("Max Unavailable", value => value.Object("spec")?["maxUnavailable"]?.ToString() ?? "N/A"),
            Number("Allowed Disruptions", value => value.Object("status").Integer("disruptionsAllowed") ?? 0),
            Age,
        ],
        "leases.coordination.k8s.io" => [Text("Holder", value => value.Object("spec").Text("holderIdentity")), Age],
        "endpointslices.discovery.k8s.io" =>
        [
            Text("AddressType", value => value.Text("addressType")),
            Text("Ports", value => Join(value.Objects("ports").Select(port => port.Integer("port")?.ToString(CultureInfo.InvariantCulture) ?? "*"))),
            Text("Endpoints", value => Join(value.Objects("endpoints").SelectMany(endpoint => endpoint.Texts("addresses")))),
            Age,
        ],
        "horizontalpodautoscalers.autoscaling" =>
        [
            Text("Reference", value => $"{value.Object("spec", "scaleTargetRef").Text("kind")}/{value.Object("spec", "scaleTargetRef").Text("name")}"),
            Text("Targets", _ => "<unknown>"),
            Text("MinPods", value => value.Object("spec").Integer("minReplicas")?.ToString(CultureInfo.InvariantCulture) ?? "<unset>"),
            Number("MaxPods", value => value.Object("spec").Integer("maxReplicas") ?? 0),
            Number("Replicas", value => value.Object("status").Integer("currentReplicas") ?? 0),
            Age,
        ],
        "storageclasses.storage.k8s.io" =>
        [
            Text("Provisioner", value => value.Text("provisioner")),
            Text("ReclaimPolicy", value => value.Text("reclaimPolicy") ?? "Delete"),
            Text("VolumeBindingMode", value => value.Text("volumeBindingMode") ?? "<unset>"),
            Text("AllowVolumeExpansion", value => value.Flag("allowVolumeExpansion") == true ? "true" : "false"),
            Age,
        ],
        "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io" or "customresourcedefinitions.apiextensions.k8s.io" =>
            [Text("Created At", value => value.Metadata().Text("creationTimestamp"))],
        "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io" =>
        [
            Text("Role", value => $"{value.Object("roleRef").Text("kind")}/{value.Object("roleRef").Text("name")}"),
            Age,
            Wide("Users", value => Subjects(value, "User")),
            Wide("Groups", value => Subjects(value, "Group")),
            Wide("ServiceAccounts", value => string.Join(", ", value.Objects("subjects").Where(subject => subject.Text("kind") == "ServiceAccount")
                .Select(subject => $"{subject.Text("namespace")}/{subject.Text("name")}"))),
        ],
        "priorityclasses.scheduling.k8s.io" =>
        [
            Number("Value", value => value.Integer("value") ?? 0),
            Text("Global-Default", value => value.Flag("globalDefault") == true ? "true" : "false"),
            Age,
            Text("PreemptionPolicy", value => value.Text("preemptionPolicy") ?? "PreemptLowerPriority"),
        ],
        _ => [Age],
    };

    internal static Column Text(string name, Func<JsonObject, string?> value) => new(name, (item, _) => value(item) ?? "");

    internal static Column Wide(string name, Func<JsonObject, string?> value) => new(name, (item, _) => value(item) ?? "") { Priority = 1 };

    internal static Column Number(string name, Func<JsonObject, long> value) => new(name, (item, _) => value(item)) { Type = "integer" };

    private static IEnumerable<Column> Containers =>
    [
        Wide("Containers", value => string.Join(',', PodTemplate(value).Select(container => container.Text("name")))),
        Wide("Images", value => string.Join(',', PodTemplate(value).Select(container => container.Text("image")))),
    ];

    private static IEnumerable<Column> Template =>
    [
        .. Containers,
        Wide("Selector", value => value.Object("spec", "selector") is { } selector && !selector.ContainsKey("matchLabels") && !selector.ContainsKey("matchExpressions")
            ? Pairs(value.Object("spec").Map("selector"))
            : Selector(value.Object("spec", "selector"))),
    ];

    private static IEnumerable<JsonObject> PodTemplate(JsonObject? value)
        => value.Object("spec", "template").Object("spec").Objects("containers");

    private static long Count(JsonObject value, string field) => value.Object(field)?.Count ?? 0;

    private static string Pairs(IReadOnlyDictionary<string, string> map)
        => map.Count == 0 ? "<none>" : string.Join(',', map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    internal static string Selector(JsonObject? selector)
    {
        if (selector is null || selector.Count == 0)
        {
            return "<none>";
        }

        var parts = selector.Map("matchLabels").OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}")
            .Concat(selector.Objects("matchExpressions").Select(expression => expression.Text("operator") switch
            {
                "Exists" => expression.Text("key")!,
                "DoesNotExist" => "!" + expression.Text("key"),
                var word => $"{expression.Text("key")} {Lower(word)} ({string.Join(',', expression.Texts("values"))})",
            }));
        return string.Join(',', parts);
    }

    private static string ExternalIps(JsonObject value)
    {
        var spec = value.Object("spec");
        var given = spec.Texts("externalIPs").ToList();
        switch (spec.Text("type"))
        {
            case "ExternalName":
                return spec.Text("externalName") ?? "<none>";
            case "LoadBalancer":
                given.InsertRange(0, value.Object("status", "loadBalancer").Objects("ingress").Select(point => point.Text("ip") ?? point.Text("hostname") ?? ""));
                return given.Count == 0 ? "<pending>" : string.Join(',', given);
            default:
                return given.Count == 0 ? "<none>" : string.Join(',', given);
        }
    }

    private static string ServicePorts(JsonObject value)
    {
        var ports = value.Object("spec").Objects("ports").Select(port => port.Integer("nodePort") is { } nodePort && nodePort > 0
            ? $"{port.Integer("port")}:{nodePort}/{port.Text("protocol")}"
            : $"{port.Integer("port")}/{port.Text("protocol")}").ToArray();
        return ports.Length == 0 ? "<none>" : string.Join(',', ports);
    }

    private static string NodeStatus(JsonObject value)
    {
        var ready = value.Object("status").Objects("conditions").FirstOrDefault(condition => condition.Text("type") == "Ready").Text("status");
        var text = ready switch { "True" => "Ready", null => "Unknown", _ => "NotReady" };
        return value.Object("spec").Flag("unschedulable") == true ? text + ",SchedulingDisabled" : text;
    }

    private static string NodeRoles(JsonObject value)
    {
        const string Prefix = "node-role.kubernetes.io/";
        var roles = value.Labels().Keys.Where(key => key.StartsWith(Prefix, StringComparison.Ordinal)).Select(key => key[Prefix.Length..]).Order(StringComparer.Ordinal).ToArray();
        return roles.Length == 0 ? "<none>" : string.Join(',', roles);
    }

    private static string NodeAddress(JsonObject value, string type)
        => value.Object("status").Objects("addresses").FirstOrDefault(address => address.Text("type") == type).Text("address") ?? "<none>";

    private static string Endpoints(JsonObject value)
        => Join(value.Objects("subsets").SelectMany(subset => subset.Objects("addresses").SelectMany(address =>
            subset.Objects("ports").Select(port => $"{address.Text("ip")}:{port.Integer("port")}"))));

    private static string Join(IEnumerable<string?> items)
    {
        var all = items.ToArray();
        return all.Length switch
        {
            0 => "<none>",
            <= 3 => string.Join(',', all),
            _ => $"{string.Join(',', all.Take(3))} + {all.Length - 3} more...",
        };
    }

    private static string LastSeen(JsonObject value, DateTimeOffset now)
    {
        var last = value.Object("series").Text("lastObservedTime") ?? value.Text("lastTimestamp") ?? value.Text("deprecatedLastTimestamp");
        return Ages.Since(last ?? value.Text("eventTime") ?? value.Text("firstTimestamp") ?? value.Metadata().Text("creationTimestamp"), now);
    }

    private static string ObjectOf(JsonObject value, string core, string @new)
    {
        var about = value.Object(core) ?? value.Object(@new);
        return $"{Lower(about.Text("kind"))}/{about.Text("name")}";
    }

    private static string Source(JsonObject value)
    {
        var source = value.Object("source") ?? value.Object("deprecatedSource");
        var component = source.Text("component") ?? value.Text("reportingComponent") ?? value.Text("reportingController");
        return source.Text("host") is { Length: > 0 } host ? $"{component}, {host}" : component ?? "";
    }

    private static string AccessModes(JsonObject? value) => string.Join(',', value.Texts("accessModes").Select(mode => mode switch
    {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => mode,
    }));

    private static string Quota(JsonObject value, bool limits)
    {
        var hard = value.Object("status").Map("hard");
        var used = value.Object("status").Map("used");
        return string.Join(", ", hard.Where(pair => pair.Key.StartsWith("limits.", StringComparison.Ordinal) == limits)
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{pair.Key}: {used.GetValueOrDefault(pair.Key, "0")}/{pair.Value}"));
    }

    private static string JobStatus(JsonObject value)
    {
        bool Is(string type) => value.Object("status").Objects("conditions").Any(condition => condition.Text("type") == type && condition.Text("status") == "True");
        return Is("Complete") ? "Complete" : Is("Failed") ? "Failed"
            : value.Metadata().Text("deletionTimestamp") is not null ? "Terminating"
            : Is("Suspended") ? "Suspended" : Is("FailureTarget") ? "FailureTarget" : Is("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
    }

    private static string JobDuration(JsonObject value, DateTimeOffset now)
    {
        if (value.Object("status").Text("startTime") is not { } start)
        {
            return "";
        }

        var end = value.Object("status").Text("completionTime") is { } time ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) : now;
        return Ages.Since(start, end);
    }

    private static string Subjects(JsonObject value, string kind)
        => string.Join(", ", value.Objects("subjects").Where(subject => subject.Text("kind") == kind).Select(subject => subject.Text("name")));

    private static string Lower(string? text) => text?.ToLowerInvariant() ?? "";

    private static string GroupSuffix(string? apiVersion) => apiVersion is not null && GroupVersion.Parse(apiVersion).Group is { Length: > 0 } group ? "." + group : "";
}

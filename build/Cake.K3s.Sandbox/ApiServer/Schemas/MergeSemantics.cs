using System.Collections.Frozen;

namespace Cake.K3s.Sandbox.ApiServer.Schemas;

/// <summary>How patches merge into a field.</summary>
internal sealed record FieldSemantics(
    ListMerge ListMerge = ListMerge.Atomic,
    string PatchMergeKey = "",
    bool PatchMerges = false,
    bool PatchRetainsKeys = false,
    bool Atomic = false)
{
    public static FieldSemantics Default { get; } = new();

    public IReadOnlyList<string> ListKeys { get; init; } = [];
}

/// <summary>
/// What the API's Go types say in tags and the models do not carry: <c>listType</c>, <c>listMapKey</c>, <c>mapType</c>,
/// <c>patchStrategy</c> and <c>patchMergeKey</c>. A list that is not named here is atomic; a map is granular.
/// </summary>
internal static class MergeSemantics
{
    private static readonly FrozenDictionary<(string Type, string Field), FieldSemantics> Fields = new Dictionary<(string, string), FieldSemantics>
    {
        [("V1ObjectMeta", "finalizers")] = new(ListMerge.Set, PatchMerges: true),
        [("V1ObjectMeta", "ownerReferences")] = Map("uid"),
        [("V1LabelSelector", "matchLabels")] = new(Atomic: true),

        [("V1PodSpec", "containers")] = Map("name"),
        [("V1PodSpec", "initContainers")] = Map("name"),
        [("V1PodSpec", "ephemeralContainers")] = Map("name"),
        [("V1PodSpec", "volumes")] = Map("name") with { PatchRetainsKeys = true },
        [("V1PodSpec", "imagePullSecrets")] = Map("name"),
        [("V1PodSpec", "hostAliases")] = Map("ip"),
        [("V1PodSpec", "topologySpreadConstraints")] = Map("topologyKey", "whenUnsatisfiable"),
        [("V1PodSpec", "resourceClaims")] = Map("name") with { PatchRetainsKeys = true },
        [("V1PodSpec", "schedulingGates")] = Map("name"),
        [("V1PodSpec", "nodeSelector")] = new(Atomic: true),
        [("V1Container", "ports")] = Map("containerPort", "protocol"),
        [("V1Container", "env")] = Map("name"),
        [("V1Container", "volumeMounts")] = Map("mountPath"),
        [("V1Container", "volumeDevices")] = Map("devicePath"),
        [("V1EphemeralContainer", "ports")] = Map("containerPort", "protocol"),
        [("V1EphemeralContainer", "env")] = Map("name"),
        [("V1EphemeralContainer", "volumeMounts")] = Map("mountPath"),
        [("V1EphemeralContainer", "volumeDevices")] = Map("devicePath"),
        [("V1ResourceRequirements", "claims")] = new(ListMerge.Map) { ListKeys = ["name"] },
        [("V1PodStatus", "conditions")] = Map("type"),
        [("V1PodStatus", "podIPs")] = Map("ip"),
        [("V1PodStatus", "hostIPs")] = new(PatchMergeKey: "ip", PatchMerges: true),
        [("V1PodStatus", "resourceClaimStatuses")] = Map("name") with { PatchRetainsKeys = true },

        [("V1ServiceSpec", "ports")] = Map("port", "protocol"),
        [("V1ServiceSpec", "selector")] = new(Atomic: true),
        [("V1ServiceStatus", "conditions")] = Map("type"),
        [("V1ReplicationControllerSpec", "selector")] = new(Atomic: true),
        [("V1ReplicationControllerStatus", "conditions")] = Map("type"),
        [("V1ServiceAccount", "secrets")] = Map("name"),
        [("V1NamespaceStatus", "conditions")] = Map("type"),
        [("V1NodeSpec", "podCIDRs")] = new(ListMerge.Set, PatchMerges: true),
        [("V1NodeStatus", "addresses")] = Map("type"),
        [("V1NodeStatus", "conditions")] = Map("type"),
        [("V1PersistentVolumeClaimStatus", "conditions")] = Map("type"),

        [("V1DeploymentSpec", "strategy")] = new(PatchRetainsKeys: true),
        [("V1DeploymentStatus", "conditions")] = Map("type"),
        [("V1ReplicaSetStatus", "conditions")] = Map("type"),
        [("V1StatefulSetStatus", "conditions")] = Map("type"),
        [("V1DaemonSetStatus", "conditions")] = Map("type"),
        [("V1JobStatus", "conditions")] = new(PatchMergeKey: "type", PatchMerges: true),
        [("V2HorizontalPodAutoscalerStatus", "conditions")] = Map("type"),
        [("V1PodDisruptionBudgetSpec", "selector")] = new(Atomic: true),
        [("V1PodDisruptionBudgetStatus", "conditions")] = Map("type"),
        [("V1CertificateSigningRequestStatus", "conditions")] = Map("type"),
        [("V1CustomResourceDefinitionStatus", "conditions")] = Map("type"),
        [("V1APIServiceStatus", "conditions")] = Map("type"),
        [("V1FlowSchemaStatus", "conditions")] = Map("type"),
        [("V1PriorityLevelConfigurationStatus", "conditions")] = Map("type"),
        [("V1ServiceCIDRStatus", "conditions")] = Map("type"),
        [("V1NetworkPolicyStatus", "conditions")] = Map("type"),
        [("V1ValidatingAdmissionPolicyStatus", "conditions")] = Map("type"),

        [("V1MutatingWebhookConfiguration", "webhooks")] = Map("name"),
        [("V1MutatingWebhook", "matchConditions")] = Map("name"),
        [("V1ValidatingWebhookConfiguration", "webhooks")] = Map("name"),
        [("V1ValidatingWebhook", "matchConditions")] = Map("name"),
        [("V1ValidatingAdmissionPolicySpec", "matchConditions")] = Map("name"),
        [("V1ValidatingAdmissionPolicySpec", "variables")] = Map("name"),
        [("V1CSINodeSpec", "drivers")] = Map("name"),
        [("V1StorageClass", "allowedTopologies")] = FieldSemantics.Default,
    }.ToFrozenDictionary();

    private static readonly FrozenSet<string> AtomicTypes = new[]
    {
        "V1LabelSelector", "V1ObjectReference", "V1LocalObjectReference", "V1TypedLocalObjectReference", "V1SecretReference", "V1OwnerReference",
        "V1ConfigMapKeySelector", "V1SecretKeySelector", "V1ObjectFieldSelector", "V1ResourceFieldSelector", "V1NodeSelector", "V1NodeSelectorTerm",
        "V1ScopeSelector", "V1TopologySelectorTerm", "Discoveryv1EndpointPort", "Corev1EndpointPort", "V1EndpointAddress", "V1ServiceBackendPort",
        "V1RoleRef", "Rbacv1Subject", "V1NamedRuleWithOperations", "V1ParamRef", "V1ParamKind", "V1FileKeySelector",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static FieldSemantics Of(string type, string field) => Fields.GetValueOrDefault((type, field), FieldSemantics.Default);

    /// <summary>Whether a type is <c>structType=atomic</c> wherever it is used.</summary>
    public static bool IsAtomicType(string type) => AtomicTypes.Contains(type);

    /// <summary>Whether a time field has microseconds; the models have one type for both.</summary>
    public static bool IsMicroTime(string field) => field is "acquireTime" or "renewTime" or "eventTime" or "lastObservedTime";

    private static FieldSemantics Map(params string[] keys)
        => new(ListMerge.Map, PatchMergeKey: keys[0], PatchMerges: true) { ListKeys = keys };
}

using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>
/// The resources that a stock server serves. The shapes of the kinds come from KubernetesClient's models; what the models do not
/// tell (scope, short names, categories, subresources) is in this table.
/// </summary>
internal static class BuiltInResources
{
    private static readonly IReadOnlyList<string> ConnectVerbs = ["create", "get"];
    private static readonly IReadOnlyList<string> GetVerbs = ["get"];
    private static readonly GroupVersion Autoscaling = new("autoscaling", "v1");
    private static readonly GroupVersion Policy = new("policy", "v1");
    private static readonly GroupVersion Authentication = new("authentication.k8s.io", "v1");

    /// <summary>Makes the list anew; the kinds' schemas are made when first used.</summary>
    public static IReadOnlyList<ResourceDefinition> Create() =>
    [
        Virtual("v1", "Binding", "bindings", namespaced: true),
        Cluster("v1", "ComponentStatus", "componentstatuses", "cs", verbs: ["get", "list"]),
        Namespaced("v1", "ConfigMap", "configmaps", "cm"),
        Namespaced("v1", "Endpoints", "endpoints", "ep"),
        Namespaced("v1", "Event", "events", "ev", model: "Corev1Event"),
        Namespaced("v1", "LimitRange", "limitranges", "limits"),
        Cluster("v1", "Namespace", "namespaces", "ns", subresources: [Status("Namespace"), new("finalize", "Namespace", ["update"])]),
        Cluster("v1", "Node", "nodes", "no", subresources: [Status("Node"), new("proxy", "NodeProxyOptions", ConnectVerbs)]),
        Namespaced("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", status: true),
        Cluster("v1", "PersistentVolume", "persistentvolumes", "pv", subresources: [Status("PersistentVolume")]),
        Namespaced("v1", "Pod", "pods", "po", category: "all", status: true, subresources:
        [
            new("attach", "PodAttachOptions", ConnectVerbs),
            new("binding", "Binding", ResourceVerbs.Create),
            new("ephemeralcontainers", "Pod", ResourceVerbs.GetPatchUpdate),
            new("eviction", "Eviction", ResourceVerbs.Create, Policy),
            new("exec", "PodExecOptions", ConnectVerbs),
            new("log", "Pod", GetVerbs),
            new("portforward", "PodPortForwardOptions", ConnectVerbs),
            new("proxy", "PodProxyOptions", ConnectVerbs),
            new("resize", "Pod", ResourceVerbs.GetPatchUpdate),
        ]),
        Namespaced("v1", "PodTemplate", "podtemplates"),
        Namespaced("v1", "ReplicationController", "replicationcontrollers", "rc", category: "all", status: true, scale: true),
        Namespaced("v1", "ResourceQuota", "resourcequotas", "quota", status: true),
        Namespaced("v1", "Secret", "secrets"),
        Namespaced("v1", "ServiceAccount", "serviceaccounts", "sa",
            subresources: [new("token", "TokenRequest", ResourceVerbs.Create, Authentication)]),
        Namespaced("v1", "Service", "services", "svc", category: "all", status: true,
            subresources: [new("proxy", "ServiceProxyOptions", ConnectVerbs)]),

        Cluster("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", category: "api-extensions"),
        Cluster("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", category: "api-extensions",
            subresources: [Status("ValidatingAdmissionPolicy")]),
        Cluster("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", category: "api-extensions"),
        Cluster("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", category: "api-extensions"),

        Cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", "crd,crds", category: "api-extensions",
            subresources: [Status("CustomResourceDefinition")]),
        Cluster("apiregistration.k8s.io/v1", "APIService", "apiservices", category: "api-extensions", subresources: [Status("APIService")]),

        Namespaced("apps/v1", "ControllerRevision", "controllerrevisions"),
        Namespaced("apps/v1", "DaemonSet", "daemonsets", "ds", category: "all", status: true),
        Namespaced("apps/v1", "Deployment", "deployments", "deploy", category: "all", status: true, scale: true),
        Namespaced("apps/v1", "ReplicaSet", "replicasets", "rs", category: "all", status: true, scale: true),
        Namespaced("apps/v1", "StatefulSet", "statefulsets", "sts", category: "all", status: true, scale: true),

        Virtual("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews"),
        Virtual("authentication.k8s.io/v1", "TokenReview", "tokenreviews"),
        Virtual("authorization.k8s.io/v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", namespaced: true),
        Virtual("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
        Virtual("authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
        Virtual("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews"),

        Namespaced("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", category: "all", status: true),
        Namespaced("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", category: "all", status: true, storedAs: "autoscaling/v2"),

        Namespaced("batch/v1", "CronJob", "cronjobs", "cj", category: "all", status: true),
        Namespaced("batch/v1", "Job", "jobs", category: "all", status: true),

        Cluster("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests", "csr",
            subresources: [new("approval", "CertificateSigningRequest", ResourceVerbs.GetPatchUpdate), Status("CertificateSigningRequest")]),
        Namespaced("coordination.k8s.io/v1", "Lease", "leases"),
        Namespaced("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
        Namespaced("events.k8s.io/v1", "Event", "events", "ev", model: "Eventsv1Event", storedAs: "v1", storageName: "events"),

        Cluster("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "flowschemas", subresources: [Status("FlowSchema")]),
        Cluster("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "prioritylevelconfigurations",
            subresources: [Status("PriorityLevelConfiguration")]),

        Cluster("networking.k8s.io/v1", "IngressClass", "ingressclasses"),
        Namespaced("networking.k8s.io/v1", "Ingress", "ingresses", "ing", status: true),
        Cluster("networking.k8s.io/v1", "IPAddress", "ipaddresses", "ip"),
        Namespaced("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol"),
        Cluster("networking.k8s.io/v1", "ServiceCIDR", "servicecidrs", subresources: [Status("ServiceCIDR")]),

        Cluster("node.k8s.io/v1", "RuntimeClass", "runtimeclasses"),
        Namespaced("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", status: true),

        Cluster("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings"),
        Cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"),
        Namespaced("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
        Namespaced("rbac.authorization.k8s.io/v1", "Role", "roles"),

        Cluster("resource.k8s.io/v1", "DeviceClass", "deviceclasses"),
        Namespaced("resource.k8s.io/v1", "ResourceClaim", "resourceclaims", model: "Resourcev1ResourceClaim", status: true),
        Namespaced("resource.k8s.io/v1", "ResourceClaimTemplate", "resourceclaimtemplates"),
        Cluster("resource.k8s.io/v1", "ResourceSlice", "resourceslices"),

        Cluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc"),

        Cluster("storage.k8s.io/v1", "CSIDriver", "csidrivers"),
        Cluster("storage.k8s.io/v1", "CSINode", "csinodes"),
        Namespaced("storage.k8s.io/v1", "CSIStorageCapacity", "csistoragecapacities"),
        Cluster("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc"),
        Cluster("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", subresources: [Status("VolumeAttachment")]),
        Cluster("storage.k8s.io/v1", "VolumeAttributesClass", "volumeattributesclasses", "vac"),
    ];

    private static Subresource Status(string kind) => new("status", kind, ResourceVerbs.GetPatchUpdate);

    private static ResourceDefinition Namespaced(
        string apiVersion, string kind, string plural, string shortNames = "", string? category = null, bool status = false, bool scale = false,
        IReadOnlyList<Subresource>? subresources = null, string? model = null, string? storedAs = null, string? storageName = null)
    {
        List<Subresource> all = [.. subresources ?? []];
        if (scale)
        {
            all.Add(new Subresource("scale", "Scale", ResourceVerbs.GetPatchUpdate, Autoscaling));
        }

        if (status)
        {
            all.Add(Status(kind));
        }

        return Define(apiVersion, kind, plural, true, shortNames, category, all, model, ResourceVerbs.All, storedAs, storageName);
    }

    private static ResourceDefinition Cluster(
        string apiVersion, string kind, string plural, string shortNames = "", string? category = null,
        IReadOnlyList<Subresource>? subresources = null, IReadOnlyList<string>? verbs = null)
        => Define(apiVersion, kind, plural, false, shortNames, category, subresources ?? [], null, verbs ?? ResourceVerbs.All, null, null);

    /// <summary>A resource that answers a question and keeps nothing.</summary>
    private static ResourceDefinition Virtual(string apiVersion, string kind, string plural, bool namespaced = false)
        => Define(apiVersion, kind, plural, namespaced, "", null, [], null, ResourceVerbs.Create, null, null);

    private static ResourceDefinition Define(
        string apiVersion, string kind, string plural, bool namespaced, string shortNames, string? category,
        IReadOnlyList<Subresource> subresources, string? model, IReadOnlyList<string> verbs, string? storedAs, string? storageName)
    {
        var version = GroupVersion.Parse(apiVersion);
        return new ResourceDefinition(version, plural, kind, namespaced, () => ModelSchemas.ForKind(version, kind, model))
        {
            ShortNames = shortNames.Split(',', StringSplitOptions.RemoveEmptyEntries),
            Categories = category is null ? [] : [category],
            Subresources = [.. subresources.OrderBy(sub => sub.Name, StringComparer.Ordinal)],
            Verbs = verbs,
            StorageVersion = GroupVersion.Parse(storedAs ?? apiVersion),
            StorageName = storageName ?? (version.Group.Length == 0 ? plural : $"{plural}.{version.Group}"),
        };
    }
}

using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>When an object is applied: all objects of a wave at the same time, after those of the wave before.</summary>
public enum Wave
{
    /// <summary>Namespaces and CRDs, without which others cannot be.</summary>
    Foundation,

    /// <summary>What pods read or are allowed at their start: ConfigMaps, Secrets, RBAC, quotas, network policies.</summary>
    Configuration,

    /// <summary>What pods are reached by and store to: Services, volumes, disruption budgets.</summary>
    Services,

    /// <summary>Workloads, and every kind that no other wave names.</summary>
    Workloads,

    /// <summary>What leads traffic to them.</summary>
    Ingress,

    /// <summary>What the API itself calls: it must be up by then.</summary>
    Webhooks,
}

/// <summary>Assigns waves.</summary>
internal static class Waves
{
    /// <summary>The wave of a type.</summary>
    public static Wave Of(GroupVersionKind type) => (type.Group, type.Kind) switch
    {
        ("", "Namespace") or ("apiextensions.k8s.io", "CustomResourceDefinition") => Wave.Foundation,
        ("", "ConfigMap" or "Secret" or "ServiceAccount" or "ResourceQuota" or "LimitRange")
            or ("rbac.authorization.k8s.io", _)
            or ("scheduling.k8s.io", _)
            or ("networking.k8s.io", "NetworkPolicy") => Wave.Configuration,
        ("", "Service" or "Endpoints" or "PersistentVolume" or "PersistentVolumeClaim")
            or ("discovery.k8s.io", _)
            or ("storage.k8s.io", _)
            or ("policy", "PodDisruptionBudget") => Wave.Services,
        ("networking.k8s.io" or "gateway.networking.k8s.io" or "traefik.io" or "traefik.containo.us", _) => Wave.Ingress,
        ("admissionregistration.k8s.io" or "apiregistration.k8s.io", _) => Wave.Webhooks,
        _ => Wave.Workloads,
    };
}

using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>The resolver settings of a pod.</summary>
internal sealed record PodDns(IReadOnlyList<string> Servers, IReadOnlyList<string> Searches, IReadOnlyList<string> Options)
{
    /// <summary>By the pod's dnsPolicy and dnsConfig.</summary>
    public static PodDns For(V1Pod pod, NodeOptions options)
    {
        var policy = pod.Spec.DnsPolicy ?? "ClusterFirst";
        var cluster = policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && pod.Spec.HostNetwork != true);
        var domain = options.ClusterDomain;
        var own = pod.Spec.DnsConfig;
        return new(
            [.. cluster ? [options.DnsAddress.ToString()] : Array.Empty<string>(), .. own?.Nameservers ?? []],
            [.. cluster ? [$"{pod.Metadata.NamespaceProperty}.svc.{domain}", $"svc.{domain}", domain] : Array.Empty<string>(), .. own?.Searches ?? []],
            [.. cluster ? ["ndots:5"] : Array.Empty<string>(), .. (own?.Options ?? []).Select(o => o.Value is null ? o.Name : $"{o.Name}:{o.Value}")]);
    }
}

using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Resource quantities as numbers, and what a pod asks for altogether.</summary>
internal static class Quantities
{
    public static decimal? Find(IDictionary<string, ResourceQuantity>? list, string resource) =>
        list is not null && list.TryGetValue(resource, out var quantity) ? quantity.ToDecimal() : null;

    /// <summary>What the scheduler counts: the sum over containers and sidecars, or the largest init container, plus the overhead.</summary>
    public static decimal PodRequest(V1PodSpec spec, string resource)
    {
        decimal running = 0;
        decimal initPeak = 0;
        foreach (var container in spec.InitContainers ?? [])
        {
            var request = Request(container, resource);
            if (container.RestartPolicy == "Always")
            {
                running += request;
                initPeak = Math.Max(initPeak, running);
            }
            else
            {
                initPeak = Math.Max(initPeak, running + request);
            }
        }

        running += spec.Containers.Sum(container => Request(container, resource));
        return Math.Max(running, initPeak) + (Find(spec.Overhead, resource) ?? 0);
    }

    /// <summary>The request of a container; a limit without a request counts as one.</summary>
    public static decimal Request(V1Container container, string resource) =>
        Find(container.Resources?.Requests, resource) ?? Find(container.Resources?.Limits, resource) ?? 0;

    /// <summary>Guaranteed, Burstable or BestEffort (core/v1 helper qos).</summary>
    public static string QualityOfService(V1PodSpec spec)
    {
        string[] counted = ["cpu", "memory"];
        var containers = spec.Containers.Concat(spec.InitContainers ?? []).ToList();
        var any = containers.Any(container => counted.Any(resource =>
            (Find(container.Resources?.Requests, resource) ?? 0) > 0 || (Find(container.Resources?.Limits, resource) ?? 0) > 0));
        if (!any)
        {
            return "BestEffort";
        }

        var guaranteed = containers.All(container => counted.All(resource =>
            Find(container.Resources?.Limits, resource) is { } limit && limit > 0 && limit == (Find(container.Resources?.Requests, resource) ?? limit)));
        return guaranteed ? "Guaranteed" : "Burstable";
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Discovery;

/// <summary>Lists the pods behind each Service, as EndpointSlices and as the older Endpoints.</summary>
internal sealed class EndpointsController : Controller
{
    public const string ServiceName = "kubernetes.io/service-name";
    private const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    private const string Manager = "endpointslice-controller.k8s.io";
    private readonly Informer<V1Service> _services;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1EndpointSlice> _slices;
    private readonly Informer<V1Endpoints> _endpoints;

    public EndpointsController(ControllerContext context)
        : base(context)
    {
        _services = context.Cache.Of<V1Service>();
        _pods = context.Cache.Of<V1Pod>();
        _slices = context.Cache.Of<V1EndpointSlice>();
        _endpoints = context.Cache.Of<V1Endpoints>();
        _services.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _slices.Changed += (old, now) =>
        {
            var slice = (now ?? old)!;
            if (slice.Metadata.Labels?.TryGetValue(ServiceName, out var service) == true)
            {
                Queue.Add(new(slice.Metadata.NamespaceProperty, service));
            }
        };
        _pods.Changed += (old, now) =>
        {
            foreach (var service in _services.In((now ?? old)!.Metadata.NamespaceProperty).Where(service => Selects(service, old) || Selects(service, now)))
            {
                Queue.Add(ObjectKey.Of(service));
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var service = _services.Find(key);
        if (service is null || service.Spec.Selector is not { Count: > 0 } || service.Spec.Type == "ExternalName" || service.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var pods = _pods.In(key.Namespace)
            .Where(pod => Selects(service, pod) && !string.IsNullOrEmpty(pod.Status?.PodIP) && !PodFacts.IsFinished(pod))
            .OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ToList();
        await WriteSlicesAsync(service, pods, cancellationToken);
        await WriteEndpointsAsync(service, pods, cancellationToken);
    }

    private async Task WriteSlicesAsync(V1Service service, List<V1Pod> pods, CancellationToken cancellationToken)
    {
        // Pods whose port of a name has another number than the others' need a slice of their own.
        var groups = pods.GroupBy(pod => PortKey(service, pod)).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        var wanted = groups.Select(group => Slice(service, Ports(service, group.First()), [.. group])).ToList();
        if (wanted.Count == 0)
        {
            wanted.Add(Slice(service, Ports(service, null), []));
        }

        var existing = _slices.In(service.Metadata.NamespaceProperty).Where(slice =>
            slice.Metadata.Labels?.TryGetValue(ServiceName, out var name) == true && name == service.Metadata.Name
            && slice.Metadata.Labels.TryGetValue(ManagedBy, out var manager) && manager == Manager).ToList();
        foreach (var slice in wanted)
        {
            var known = existing.FirstOrDefault(candidate => candidate.Metadata.Name == slice.Metadata.Name);
            if (known is null)
            {
                _slices.Observe(await Client.CreateAsync(slice, cancellationToken));
            }
            else if (!Same(known.Endpoints, slice.Endpoints) || !Same(known.Ports, slice.Ports))
            {
                slice.Metadata = known.Metadata;
                _slices.Observe(await Client.ReplaceAsync(slice, cancellationToken));
            }
        }

        foreach (var stale in existing.Where(slice => wanted.All(w => w.Metadata.Name != slice.Metadata.Name)))
        {
            await Client.DeleteAsync(stale, cancellationToken);
        }
    }

    private async Task WriteEndpointsAsync(V1Service service, List<V1Pod> pods, CancellationToken cancellationToken)
    {
        var subsets = pods.GroupBy(pod => PortKey(service, pod)).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group =>
        {
            var addresses = group.ToLookup(pod => IsUsable(service, pod), pod => new V1EndpointAddress
            {
                Ip = pod.Status.PodIP,
                NodeName = pod.Spec.NodeName,
                TargetRef = Reference(pod),
                Hostname = HostName(service, pod),
            });
            return new V1EndpointSubset
            {
                Addresses = addresses[true].Any() ? [.. addresses[true]] : null,
                NotReadyAddresses = addresses[false].Any() ? [.. addresses[false]] : null,
                Ports = [.. Ports(service, group.First()).Select(port => new Corev1EndpointPort { Name = port.Name, Port = port.Port ?? 0, Protocol = port.Protocol, AppProtocol = port.AppProtocol })],
            };
        }).ToList();
        var key = ObjectKey.Of(service);
        var known = _endpoints.Find(key);
        if (known is null)
        {
            _endpoints.Observe(await Client.CreateAsync(
                new V1Endpoints
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = key.Name,
                        NamespaceProperty = key.Namespace,
                        Labels = service.Metadata.Labels,
                        // Endpoints go with their Service, without an owner reference, in real clusters; here the collector does it.
                        OwnerReferences = [Ownership.ReferenceTo(service)],
                    },
                    Subsets = subsets,
                },
                cancellationToken));
        }
        else if (!Same(known.Subsets ?? [], subsets))
        {
            _endpoints.Observe(await Client.ReplaceAsync(known with { Subsets = subsets }, cancellationToken));
        }
    }

    private static bool Selects(V1Service service, V1Pod? pod) =>
        pod is not null && service.Spec.Selector is { Count: > 0 } selector && LabelSelectors.Matches(selector, pod.Metadata.Labels);

    private static V1EndpointSlice Slice(V1Service service, List<Discoveryv1EndpointPort> ports, List<V1Pod> pods)
    {
        var labels = (service.Metadata.Labels ?? new Dictionary<string, string>()).ToDictionary();
        labels[ServiceName] = service.Metadata.Name;
        labels[ManagedBy] = Manager;
        if (service.Spec.ClusterIP == "None")
        {
            labels["service.kubernetes.io/headless"] = "";
        }

        var suffix = Fnv.Safe(string.Join(',', ports.Select(port => $"{port.Name}:{port.Port}")));
        return new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"{service.Metadata.Name}-{suffix[..Math.Min(5, suffix.Length)]}",
                NamespaceProperty = service.Metadata.NamespaceProperty,
                Labels = labels,
                OwnerReferences = [Ownership.ReferenceTo(service)],
            },
            AddressType = "IPv4",
            Ports = ports,
            Endpoints = [.. pods.Select(pod => new V1Endpoint
            {
                Addresses = [pod.Status.PodIP],
                Conditions = new V1EndpointConditions
                {
                    Ready = IsUsable(service, pod), Serving = PodFacts.IsReady(pod), Terminating = pod.Metadata.DeletionTimestamp is not null,
                },
                NodeName = pod.Spec.NodeName,
                Hostname = HostName(service, pod),
                TargetRef = Reference(pod),
            })],
        };
    }

    private static bool IsUsable(V1Service service, V1Pod pod) =>
        service.Spec.PublishNotReadyAddresses == true || (PodFacts.IsReady(pod) && pod.Metadata.DeletionTimestamp is null);

    private static string? HostName(V1Service service, V1Pod pod) =>
        !string.IsNullOrEmpty(pod.Spec.Hostname) && pod.Spec.Subdomain == service.Metadata.Name ? pod.Spec.Hostname : null;

    private static V1ObjectReference Reference(V1Pod pod) =>
        new() { Kind = "Pod", Name = pod.Metadata.Name, NamespaceProperty = pod.Metadata.NamespaceProperty, Uid = pod.Metadata.Uid };

    private static string PortKey(V1Service service, V1Pod pod) => string.Join(',', Ports(service, pod).Select(port => $"{port.Name}={port.Port}"));

    private static List<Discoveryv1EndpointPort> Ports(V1Service service, V1Pod? pod) => [.. (service.Spec.Ports ?? []).Select(port => new Discoveryv1EndpointPort
    {
        Name = port.Name ?? "",
        Protocol = port.Protocol ?? "TCP",
        AppProtocol = port.AppProtocol,
        Port = TargetPort(port, pod),
    }).Where(port => port.Port is not null)];

    private static int? TargetPort(V1ServicePort port, V1Pod? pod)
    {
        var target = port.TargetPort?.Value;
        if (string.IsNullOrEmpty(target) || target == "0")
        {
            return port.Port;
        }

        return int.TryParse(target, CultureInfo.InvariantCulture, out var number)
            ? number
            : pod?.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).SelectMany(container => container.Ports ?? [])
                .FirstOrDefault(candidate => candidate.Name == target)?.ContainerPort;
    }

    private static bool Same<T>(IEnumerable<T>? one, IEnumerable<T>? other)
        where T : notnull => JsonNode.DeepEquals(ToArray(one), ToArray(other));

    private static JsonArray ToArray<T>(IEnumerable<T>? items)
        where T : notnull => new([.. (items ?? []).Select(item => MergePatch.ToJson(item))]);
}

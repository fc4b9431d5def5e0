using System.Globalization;
using System.Text;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>The environment variables of a container: Service addresses, envFrom, then env, later ones win.</summary>
internal sealed class ContainerEnvironment(PodSources sources)
{
    /// <exception cref="ContainerConfigException">A ConfigMap, a Secret or a key is missing, in the kubelet's words.</exception>
    public async Task<IReadOnlyDictionary<string, string>> BuildAsync(
        V1Pod pod, V1Container container, PodPlace place, CancellationToken cancellationToken)
    {
        var ns = pod.Metadata.NamespaceProperty;
        var result = new Dictionary<string, string>(ServiceVariables(pod, place.Services));
        foreach (var source in container.EnvFrom ?? [])
        {
            foreach (var (name, value) in await AllOfAsync(ns, source, cancellationToken))
            {
                result[(source.Prefix ?? "") + name] = value;
            }
        }

        foreach (var variable in container.Env ?? [])
        {
            var value = variable.ValueFrom is { } from
                ? await ValueAsync(pod, container, from, place, cancellationToken)
                : VariableExpansion.Expand(variable.Value ?? "", result);
            if (value is not null)
            {
                result[variable.Name] = value;
            }
        }

        return result;
    }

    /// <summary>The variables that name each Service of the namespace, and the API (kubelet envvars.FromServices).</summary>
    internal static Dictionary<string, string> ServiceVariables(V1Pod pod, IEnumerable<V1Service> services)
    {
        var result = new Dictionary<string, string>();
        var links = pod.Spec.EnableServiceLinks ?? true;
        foreach (var service in services.Where(s => s.Spec.ClusterIP is { Length: > 0 } and not "None" && s.Spec.Ports is { Count: > 0 }))
        {
            var isApi = service.Metadata is { Name: "kubernetes", NamespaceProperty: "default" };
            if (!isApi && (!links || service.Metadata.NamespaceProperty != pod.Metadata.NamespaceProperty))
            {
                continue;
            }

            var prefix = Variable(service.Metadata.Name);
            var address = service.Spec.ClusterIP;
            result[$"{prefix}_SERVICE_HOST"] = address;
            result[$"{prefix}_SERVICE_PORT"] = Number(service.Spec.Ports[0].Port);
            result[$"{prefix}_PORT"] = $"{Protocol(service.Spec.Ports[0])}://{address}:{Number(service.Spec.Ports[0].Port)}";
            foreach (var port in service.Spec.Ports)
            {
                var each = $"{prefix}_PORT_{Number(port.Port)}_{Protocol(port).ToUpperInvariant()}";
                result[each] = $"{Protocol(port)}://{address}:{Number(port.Port)}";
                result[$"{each}_PROTO"] = Protocol(port);
                result[$"{each}_PORT"] = Number(port.Port);
                result[$"{each}_ADDR"] = address;
                if (!string.IsNullOrEmpty(port.Name))
                {
                    result[$"{prefix}_SERVICE_PORT_{Variable(port.Name)}"] = Number(port.Port);
                }
            }
        }

        return result;
    }

    private async Task<IEnumerable<KeyValuePair<string, string>>> AllOfAsync(string ns, V1EnvFromSource source, CancellationToken cancellationToken)
    {
        if (source.ConfigMapRef is { } map)
        {
            var found = await sources.ConfigMapAsync(ns, map.Name, cancellationToken);
            return found?.Data ?? (found is not null || map.Optional == true
                ? new Dictionary<string, string>()
                : throw new ContainerConfigException($"configmap \"{map.Name}\" not found"));
        }

        if (source.SecretRef is { } reference)
        {
            var found = await sources.SecretAsync(ns, reference.Name, cancellationToken);
            return found is null
                ? reference.Optional == true ? [] : throw new ContainerConfigException($"secret \"{reference.Name}\" not found")
                : (found.Data ?? new Dictionary<string, byte[]>()).Select(pair => KeyValuePair.Create(pair.Key, Encoding.UTF8.GetString(pair.Value)));
        }

        return [];
    }

    private async Task<string?> ValueAsync(V1Pod pod, V1Container container, V1EnvVarSource from, PodPlace place, CancellationToken cancellationToken)
    {
        var ns = pod.Metadata.NamespaceProperty;
        if (from.ConfigMapKeyRef is { } map)
        {
            var found = await sources.ConfigMapAsync(ns, map.Name, cancellationToken);
            return found?.Data?.TryGetValue(map.Key, out var value) == true ? value : map.Optional == true ? null : throw new ContainerConfigException(
                found is null ? $"configmap \"{map.Name}\" not found" : $"couldn't find key {map.Key} in ConfigMap {ns}/{map.Name}");
        }

        if (from.SecretKeyRef is { } secret)
        {
            var found = await sources.SecretAsync(ns, secret.Name, cancellationToken);
            return found?.Data?.TryGetValue(secret.Key, out var value) == true ? Encoding.UTF8.GetString(value) : secret.Optional == true ? null : throw new ContainerConfigException(
                found is null ? $"secret \"{secret.Name}\" not found" : $"couldn't find key {secret.Key} in Secret {ns}/{secret.Name}");
        }

        return from.FieldRef is { } field ? DownwardApi.Field(pod, field.FieldPath, place.PodAddress, place.HostAddress)
            : from.ResourceFieldRef is { } resource ? DownwardApi.Resource(pod, container, resource, place.Allocatable)
            : null;
    }

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_');

    private static string Number(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static string Protocol(V1ServicePort port) => (port.Protocol ?? "TCP").ToLowerInvariant();
}

/// <summary>Where a pod runs, as far as its containers are told.</summary>
/// <param name="PodAddress">The pod's IP.</param>
/// <param name="HostAddress">The node's IP.</param>
/// <param name="Services">The Services there are, for their variables.</param>
/// <param name="Allocatable">The node's cpu (cores) and memory (bytes).</param>
internal sealed record PodPlace(
    string PodAddress,
    string HostAddress,
    IReadOnlyCollection<V1Service> Services,
    IReadOnlyDictionary<string, decimal> Allocatable);

using System.Globalization;
using System.Text;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>What a pod is told about itself: fieldRef and resourceFieldRef.</summary>
internal static class DownwardApi
{
    /// <exception cref="ContainerConfigException">No such field.</exception>
    public static string Field(V1Pod pod, string path, string podAddress, string hostAddress)
    {
        if (Subscript(path, "metadata.labels") is { } label)
        {
            return pod.Metadata.Labels?.TryGetValue(label, out var value) == true ? value : "";
        }

        if (Subscript(path, "metadata.annotations") is { } annotation)
        {
            return pod.Metadata.Annotations?.TryGetValue(annotation, out var value) == true ? value : "";
        }

        return path switch
        {
            "metadata.name" => pod.Metadata.Name,
            "metadata.namespace" => pod.Metadata.NamespaceProperty,
            "metadata.uid" => pod.Metadata.Uid,
            "metadata.labels" => Lines(pod.Metadata.Labels),
            "metadata.annotations" => Lines(pod.Metadata.Annotations),
            "spec.nodeName" => pod.Spec.NodeName,
            "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "default",
            "status.podIP" or "status.podIPs" => podAddress,
            "status.hostIP" or "status.hostIPs" => hostAddress,
            _ => throw new ContainerConfigException($"unsupported fieldPath: {path}"),
        };
    }

    /// <summary>A request or limit in units of the divisor, rounded up; a limit that is not set is the node's capacity.</summary>
    public static string Resource(V1Pod pod, V1Container container, V1ResourceFieldSelector selector, IReadOnlyDictionary<string, decimal> allocatable)
    {
        var source = string.IsNullOrEmpty(selector.ContainerName)
            ? container
            : pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(c => c.Name == selector.ContainerName)
                ?? throw new ContainerConfigException($"container {selector.ContainerName} not found");
        var parts = selector.Resource.Split('.', 2);
        var name = parts[^1];
        var value = parts[0] switch
        {
            "limits" => Quantities.Find(source.Resources?.Limits, name) ?? allocatable.GetValueOrDefault(name),
            "requests" => Quantities.Find(source.Resources?.Requests, name) ?? 0,
            _ => throw new ContainerConfigException($"unsupported container resource : {selector.Resource}"),
        };
        var divisor = selector.Divisor?.ToDecimal() ?? 0;
        return Math.Ceiling(value / (divisor == 0 ? 1 : divisor)).ToString("0", CultureInfo.InvariantCulture);
    }

    private static string? Subscript(string path, string field) =>
        path.StartsWith(field + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) ? path[(field.Length + 2)..^2] : null;

    private static string Lines(IDictionary<string, string>? values)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in (values ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length > 0 ? "\n" : "").Append(CultureInfo.InvariantCulture, $"{name}=\"{escaped}\"");
        }

        return text.ToString();
    }
}

using Cake.K3s.Sandbox.Controllers.Pods;
using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Scheduling;

/// <summary>Why a pod does not fit on a node, in the scheduler's own words.</summary>
internal static class SchedulingFilter
{
    /// <summary>The reasons; none means that it fits.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="node">The node.</param>
    /// <param name="onNode">What runs there, or will.</param>
    public static IReadOnlyList<NodeRefusal> Reasons(V1Pod pod, V1Node node, IReadOnlyCollection<V1Pod> onNode)
    {
        // As the scheduler: the first plugin that refuses ends the node, in the order of its default profile.
        if (node.Spec?.Unschedulable == true && !Tolerates(pod, "node.kubernetes.io/unschedulable", null, "NoSchedule"))
        {
            return [new("node(s) were unschedulable")];
        }

        var taint = node.Spec?.Taints?.FirstOrDefault(t => t.Effect is "NoSchedule" or "NoExecute" && !Tolerates(pod, t.Key, t.Value, t.Effect));
        if (taint is not null)
        {
            return [new("node(s) had untolerated taint(s)")];
        }

        if (!LabelSelectors.Matches(pod.Spec.NodeSelector, node.Metadata.Labels) || !MatchesAffinity(pod, node))
        {
            return [new("node(s) didn't match Pod's node affinity/selector")];
        }

        if (HostPortTaken(pod, onNode))
        {
            return [new("node(s) didn't have free ports for the requested pod ports", EvictionHelps: true)];
        }

        var shortages = Shortages(pod, node, onNode);
        if (shortages.Count > 0)
        {
            return shortages;
        }

        return AntiAffinity(pod, node, onNode) ? [new("node(s) didn't match pod anti-affinity rules", EvictionHelps: true)] : [];
    }

    /// <summary>The whole message of the FailedScheduling event.</summary>
    public static string Message(IReadOnlyCollection<IReadOnlyList<NodeRefusal>> perNode)
    {
        var total = perNode.Count;
        if (total == 0)
        {
            return "no nodes available to schedule pods";
        }

        var counts = perNode.SelectMany(reasons => reasons).GroupBy(reason => reason.Text).Select(group => $"{group.Count()} {group.Key}").Order(StringComparer.Ordinal);
        var hopeless = perNode.Count(reasons => !reasons.All(reason => reason.EvictionHelps));
        var victims = total - hopeless;
        var preemption = new[]
        {
            (Count: victims, Text: "No preemption victims found for incoming pod"),
            (Count: hopeless, Text: "Preemption is not helpful for scheduling"),
        }.Where(part => part.Count > 0).Select(part => $"{part.Count} {part.Text}");
        return $"0/{total} nodes are available: {string.Join(", ", counts)}. no new claims to deallocate, preemption: 0/{total} nodes are available: {string.Join(", ", preemption)}.";
    }

    private static List<NodeRefusal> Shortages(V1Pod pod, V1Node node, IReadOnlyCollection<V1Pod> onNode)
    {
        var result = new List<NodeRefusal>();
        var allocatable = node.Status?.Allocatable ?? new Dictionary<string, ResourceQuantity>();
        if (onNode.Count + 1 > (Quantities.Find(allocatable, "pods") ?? 0))
        {
            result.Add(new("Too many pods", EvictionHelps: true));
        }

        var asked = pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? [])
            .SelectMany(container => (container.Resources?.Requests?.Keys ?? []).Concat(container.Resources?.Limits?.Keys ?? []))
            .Distinct();
        foreach (var resource in asked)
        {
            var request = Quantities.PodRequest(pod.Spec, resource);
            var room = Quantities.Find(allocatable, resource) ?? 0;
            if (request > 0 && request + onNode.Sum(other => Quantities.PodRequest(other.Spec, resource)) > room)
            {
                // What is larger than the whole node does not fit on an empty one either.
                result.Add(new($"Insufficient {resource}", EvictionHelps: request <= room));
            }
        }

        return result;
    }

    private static bool Tolerates(V1Pod pod, string key, string? value, string effect) => (pod.Spec.Tolerations ?? []).Any(toleration =>
        (string.IsNullOrEmpty(toleration.Effect) || toleration.Effect == effect)
        && (string.IsNullOrEmpty(toleration.Key) ? toleration.OperatorProperty == "Exists" : toleration.Key == key)
        && (toleration.OperatorProperty == "Exists" || (toleration.Value ?? "") == (value ?? "")));

    private static bool MatchesAffinity(V1Pod pod, V1Node node)
    {
        var required = pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        return required is null || required.NodeSelectorTerms.Any(term =>
            (term.MatchExpressions ?? []).All(expression => Matches(expression, node.Metadata.Labels ?? new Dictionary<string, string>()))
            && (term.MatchFields ?? []).All(expression => Matches(expression, new Dictionary<string, string> { ["metadata.name"] = node.Metadata.Name })));
    }

    private static bool Matches(V1NodeSelectorRequirement expression, IDictionary<string, string> labels)
    {
        var has = labels.TryGetValue(expression.Key, out var value);
        return expression.OperatorProperty switch
        {
            "In" => has && expression.Values.Contains(value!),
            "NotIn" => !has || !expression.Values.Contains(value!),
            "Exists" => has,
            "DoesNotExist" => !has,
            "Gt" => has && long.TryParse(value, out var number) && number > long.Parse(expression.Values[0]),
            "Lt" => has && long.TryParse(value, out var number) && number < long.Parse(expression.Values[0]),
            _ => false,
        };
    }

    private static bool HostPortTaken(V1Pod pod, IReadOnlyCollection<V1Pod> onNode)
    {
        var taken = onNode.SelectMany(HostPorts).ToHashSet();
        return HostPorts(pod).Any(taken.Contains);
    }

    private static IEnumerable<(int Port, string Protocol)> HostPorts(V1Pod pod) =>
        pod.Spec.Containers.SelectMany(container => container.Ports ?? []).Where(port => port.HostPort > 0).Select(port => (port.HostPort!.Value, port.Protocol ?? "TCP"));

    private static bool AntiAffinity(V1Pod pod, V1Node node, IReadOnlyCollection<V1Pod> onNode) =>
        (pod.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).Any(term =>
            node.Metadata.Labels?.ContainsKey(term.TopologyKey) == true
            && onNode.Any(other => (term.Namespaces is { Count: > 0 } spaces ? spaces.Contains(other.Metadata.NamespaceProperty) : other.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty)
                && LabelSelectors.Matches(term.LabelSelector, other.Metadata.Labels)));
}

/// <summary>Why a node does not take a pod.</summary>
/// <param name="Text">In the scheduler's words.</param>
/// <param name="EvictionHelps">Whether it would, were there fewer pods on it.</param>
internal readonly record struct NodeRefusal(string Text, bool EvictionHelps = false);

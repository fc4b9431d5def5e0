using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Reads why a pod has no node. Where every node is ruled out by what does not change by waiting (a selector, a taint of the
/// operator's, a request larger than the node), it never gets one; where nodes are merely full or not ready, it may.
/// </summary>
internal static partial class PodScheduling
{
    /// <summary>A verdict while the pod has no node; null once it has one.</summary>
    public static Verdict? Judge(JsonObject pod)
    {
        var condition = pod.Condition("PodScheduled");
        if (condition is null || condition.Text("status") == "True" || pod.Text("spec", "nodeName") is not null)
        {
            return null;
        }

        var reason = condition.Text("reason") ?? "Unschedulable";
        var message = condition.Text("message") ?? "waits for a node";
        return reason switch
        {
            "SchedulingGated" => Verdict.Waiting(reason, message),
            _ when NeverFits(message) => Verdict.Fatal(reason, $"no node can ever take it: {Reasons(message)}", Advice(message)),
            _ => Verdict.Transient(reason, message),
        };
    }

    // The scheduler's form: "0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint {k: v}. preemption: 0/3
    // nodes are available: 3 Preemption is not helpful for scheduling." The second part tells a node that is full (evicting others
    // could help) from one that is too small. Since 1.34 it begins with "no new claims to deallocate, ", and no taint is named any more.
    private static bool NeverFits(string message)
    {
        var form = Form().Match(message);
        if (!form.Success || !int.TryParse(form.Groups["nodes"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var nodes) || nodes == 0)
        {
            return MissingClaim().IsMatch(message);
        }

        var unhelpful = NotHelpful().Match(form.Groups["preemption"].Value);
        var isResolvable = Passing().IsMatch(form.Groups["reasons"].Value);
        return MissingClaim().IsMatch(form.Groups["reasons"].Value) || (!isResolvable && unhelpful.Success
            && int.Parse(unhelpful.Groups[1].Value, CultureInfo.InvariantCulture) == nodes);
    }

    // What would come of preemption is for the scheduler's authors.
    private static string Reasons(string message) =>
        Form().Match(message) is { Success: true } form ? form.Groups["reasons"].Value : message;

    private static string Advice(string message) =>
        message.Contains("Insufficient", StringComparison.Ordinal)
            ? "lower resources.requests, or add a node that is large enough"
            : message.Contains("taint", StringComparison.Ordinal)
                ? "add a toleration to the pod, or remove the node's taint"
                : message.Contains("selector", StringComparison.Ordinal) || message.Contains("affinity", StringComparison.Ordinal)
                    ? "correct nodeSelector or affinity, or label a node: kubectl get nodes --show-labels"
                    : "correct what the message names, in the manifest or on the nodes";

    [GeneratedRegex(@"^\d+/(?<nodes>\d+) nodes are available: (?<reasons>.*?)\.?( ([^.:]*, )?preemption: (?<preemption>.*))?$",
        RegexOptions.ExplicitCapture | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    [GeneratedRegex(@"(\d+) Preemption is not helpful for scheduling", RegexOptions.CultureInvariant)]
    private static partial Regex NotHelpful();

    [GeneratedRegex("persistentvolumeclaim \"[^\"]*\" not found", RegexOptions.CultureInvariant)]
    private static partial Regex MissingClaim();

    // Taints that Kubernetes itself sets and removes, as one without a name may be, and volumes that are still being bound.
    [GeneratedRegex(@"taint\(s\)|taint \{node\.kubernetes\.io/|node\.cloudprovider\.kubernetes\.io/|unbound immediate|free ports|unschedulable", RegexOptions.CultureInvariant)]
    private static partial Regex Passing();
}

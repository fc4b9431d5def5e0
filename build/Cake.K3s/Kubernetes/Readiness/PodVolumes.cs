using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Reads why a pod's volumes are not mounted, from the kubelet's FailedMount events.</summary>
internal static class PodVolumes
{
    /// <summary>A verdict while no container of the pod was started and a mount failed; else null.</summary>
    public static Verdict? Judge(JsonObject pod, ImmutableArray<JsonObject> events)
    {
        var isCreating = pod.ContainerStatuses()
            .All(status => status.Text("state", "waiting", "reason") is "ContainerCreating" or "PodInitializing");
        var message = events.LastOrDefault(e => e.Text("reason") is "FailedMount" or "FailedAttachVolume").Text("message");
        if (!isCreating || message is null)
        {
            return null;
        }

        // kube-root-ca.crt is put into a new namespace a moment after it is made.
        var isMissing = message.Contains("not found", StringComparison.Ordinal) || message.Contains("non-existent", StringComparison.Ordinal);
        var isReference = message.Contains("configmap", StringComparison.OrdinalIgnoreCase)
            || message.Contains("secret", StringComparison.OrdinalIgnoreCase);
        return isMissing && isReference && !message.Contains("kube-root-ca.crt", StringComparison.Ordinal)
            ? Verdict.Fatal("FailedMount", message, $"add the object or key that the message names to the manifests of namespace {pod.NamespaceName()}, or correct its name")
            : Verdict.Transient("FailedMount", message);
    }
}

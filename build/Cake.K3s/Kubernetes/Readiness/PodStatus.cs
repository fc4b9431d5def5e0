using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Puts a pod's state into a word, as <c>kubectl get pods</c> does.</summary>
internal static class PodStatus
{
    public static PodState Of(JsonObject pod, bool isNew) =>
        new(
            pod.ObjectName() ?? "",
            Word(pod),
            PodReadiness.IsReady(pod),
            (int)pod.ContainerStatuses().Sum(status => status.Number("restartCount") ?? 0),
            pod.Text("spec", "nodeName"),
            isNew);

    private static string Word(JsonObject pod)
    {
        if (pod.IsBeingDeleted())
        {
            return "Terminating";
        }

        if (pod.Text("status", "reason") is { } reason)
        {
            return reason;
        }

        foreach (var status in pod.Objects("status", "initContainerStatuses"))
        {
            var word = status.Text("state", "waiting", "reason")
                ?? (status.Number("state", "terminated", "exitCode") is > 0 ? status.Text("state", "terminated", "reason") : null);
            if (word is not (null or "PodInitializing" or "ContainerCreating"))
            {
                return $"Init:{word}";
            }
        }

        return pod.Objects("status", "containerStatuses")
            .Select(status => status.Text("state", "waiting", "reason") ?? status.Text("state", "terminated", "reason"))
            .FirstOrDefault(word => word is not null) ?? pod.Text("status", "phase") ?? "Unknown";
    }
}

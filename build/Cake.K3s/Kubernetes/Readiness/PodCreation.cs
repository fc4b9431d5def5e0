using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Reads why a controller cannot make a pod: from its FailedCreate events, or a Deployment's ReplicaFailure condition.</summary>
internal static class PodCreation
{
    /// <param name="message">The API server's answer.</param>
    /// <param name="canFreeQuota">Whether pods of the former revision may still go and make room.</param>
    public static Verdict Judge(string message, bool canFreeQuota)
    {
        if (Has("exceeded quota"))
        {
            return canFreeQuota
                ? Verdict.Transient("FailedCreate", message)
                : Verdict.Fatal("QuotaExceeded", message, "raise the ResourceQuota, or lower replicas, requests or maxSurge: kubectl describe resourcequota");
        }

        if (Has("failed quota") || Has("must specify"))
        {
            return Verdict.Fatal("FailedCreate", message, "give every container the requests and limits that the namespace's quota asks for");
        }

        if (Has("violates PodSecurity"))
        {
            return Verdict.Fatal("FailedCreate", message, "correct the securityContext as the message says, or relax the namespace's pod-security label");
        }

        if (Has("serviceaccount") && Has("not found"))
        {
            return Verdict.Fatal("FailedCreate", message, "add the ServiceAccount to the manifests, or correct serviceAccountName");
        }

        if (Has("failed calling webhook"))
        {
            return Verdict.Transient("FailedCreate", message);
        }

        return Has("is forbidden") || Has("is invalid") || Has("denied the request")
            ? Verdict.Fatal("FailedCreate", message, "correct the pod's template as the message says")
            : Verdict.Transient("FailedCreate", message);

        bool Has(string part) => message.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The newest FailedCreate among a controller's events since the rollout began, unless a pod was made after it.</summary>
    public static string? LastFailure(Observation observation, JsonObject controller)
    {
        var last = observation.EventsOf(controller)
            .LastOrDefault(e => e.Text("reason") is "FailedCreate" or "SuccessfulCreate");
        return last is not null && last.Text("reason") == "FailedCreate" && Observation.LastSeen(last) >= observation.StartedAt.AddSeconds(-1)
            ? last.Text("message")
            : null;
    }
}

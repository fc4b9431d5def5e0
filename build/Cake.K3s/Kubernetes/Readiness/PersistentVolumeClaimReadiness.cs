using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A claim is ready when it is bound, or when its class waits for the first pod that uses it (K3s' local-path does).</summary>
internal static class PersistentVolumeClaimReadiness
{
    public static Verdict Judge(Observation observation)
    {
        var target = observation.Object;
        switch (target.Text("status", "phase"))
        {
            case "Bound":
                return Verdict.Ready("bound");
            case "Lost":
                return Verdict.Fatal("Lost", "the volume that it was bound to is gone", "restore the volume, or delete the claim and restore its data");
        }

        var last = observation.EventsOf(target).LastOrDefault();
        var message = last.Text("message") ?? "waits for a volume";
        return last.Text("reason") switch
        {
            "WaitForFirstConsumer" or "WaitForPodScheduled" => Verdict.Ready("is bound when its first pod is placed"),
            "ProvisioningFailed" when message.Contains("not found", StringComparison.Ordinal) =>
                Verdict.Fatal("ProvisioningFailed", message, "correct storageClassName: kubectl get storageclass"),
            "ProvisioningFailed" or "FailedBinding" => Verdict.Transient(last.Text("reason")!, message),
            _ => Verdict.Waiting("Pending", message),
        };
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Any other kind, by the conventions that controllers follow: <c>Stalled</c> and <c>Failed</c> end it, <c>Reconciling</c> waits,
/// <c>Ready</c> or <c>Available</c> decides; an object without these is ready when it is there.
/// </summary>
internal static class ConditionsReadiness
{
    private static readonly string[] Deciding = ["Ready", "Available", "Established"];

    public static Verdict Judge(Observation observation)
    {
        var target = observation.Object;
        if (!target.IsObserved())
        {
            return Verdict.Waiting("NotObserved", "its controller has not seen this version yet");
        }

        if (First("Stalled", "Failed") is { } failed)
        {
            return Verdict.Fatal(
                failed.Text("reason") ?? failed.Text("type")!, failed.Text("message") ?? "its controller has given up",
                $"see why with: kubectl -n {target.NamespaceName()} describe {target.Text("kind")} {target.ObjectName()}");
        }

        if (First("Reconciling") is { } reconciling)
        {
            return Verdict.Waiting(reconciling.Text("reason") ?? "Reconciling", reconciling.Text("message") ?? "is being reconciled");
        }

        var deciding = Deciding.Select(type => target.Condition(type)).FirstOrDefault(condition => condition is not null);
        return deciding is null || deciding.Text("status") == "True"
            ? Verdict.Ready("accepted")
            : Verdict.Waiting(deciding.Text("reason") ?? "NotReady", deciding.Text("message") ?? "is not ready yet");

        JsonObject? First(params ReadOnlySpan<string> types)
        {
            foreach (var type in types)
            {
                if (target.IsTrue(type))
                {
                    return target.Condition(type);
                }
            }

            return null;
        }
    }
}

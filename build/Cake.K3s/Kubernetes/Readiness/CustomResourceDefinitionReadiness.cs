using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A CRD is ready when the API serves it.</summary>
internal static class CustomResourceDefinitionReadiness
{
    public static Verdict Judge(Observation observation)
    {
        var target = observation.Object;
        if (target.Condition("NamesAccepted") is { } names && names.Text("status") == "False")
        {
            return Verdict.Fatal(
                names.Text("reason") ?? "NameConflict", names.Text("message") ?? "its names are taken",
                "rename the kind, or remove the definition that has its names: kubectl get crd");
        }

        return target.IsTrue("Established") ? Verdict.Ready("served") : Verdict.Waiting("NotEstablished", "is not served yet");
    }
}

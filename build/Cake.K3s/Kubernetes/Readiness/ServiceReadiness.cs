using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A Service is ready at once, but for a LoadBalancer, which waits for its address.</summary>
internal static class ServiceReadiness
{
    public static Verdict Judge(Observation observation)
    {
        var target = observation.Object;
        return target.Text("spec", "type") == "LoadBalancer"
            && target.At("spec", "externalIPs") is null
            && !target.Objects("status", "loadBalancer", "ingress").Any()
                ? Verdict.Waiting("Pending", "waits for the load balancer's address")
                : Verdict.Ready("accepted");
    }
}

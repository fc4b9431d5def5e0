using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>The rule of each kind. All are pure: what is seen goes in, the verdict comes out.</summary>
internal static class ReadinessRules
{
    /// <summary>Judges an object by the rule of its kind, or by its conditions where the kind has none.</summary>
    /// <exception cref="K3sException">An annotation of the object cannot be read (exit code 2).</exception>
    public static Verdict Judge(Observation observation)
    {
        var target = observation.Object;
        var overrides = RolloutOverrides.Of(target);
        if (overrides.Ignore)
        {
            return Verdict.Ready($"not judged ({RolloutOverrides.IgnoreAnnotation})");
        }

        if (target.IsBeingDeleted())
        {
            return Verdict.Waiting("Terminating", "is being deleted");
        }

        return (Group(target.Text("apiVersion")), target.Text("kind")) switch
        {
            ("apps", "Deployment") => DeploymentReadiness.Judge(observation, overrides),
            ("apps", "StatefulSet") => StatefulSetReadiness.Judge(observation, overrides),
            ("apps", "DaemonSet") => DaemonSetReadiness.Judge(observation, overrides),
            ("batch", "Job") => JobReadiness.Judge(observation, overrides),
            ("batch", "CronJob") => Verdict.Ready("scheduled"),
            ("", "Pod") => BarePodReadiness.Judge(observation, overrides),
            ("", "PersistentVolumeClaim") => PersistentVolumeClaimReadiness.Judge(observation),
            ("", "Service") => ServiceReadiness.Judge(observation),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => CustomResourceDefinitionReadiness.Judge(observation),
            ("helm.cattle.io", "HelmChart") => HelmChartReadiness.Judge(observation, overrides),

            // Traefik on the host's network never writes an Ingress' status.
            ("networking.k8s.io", "Ingress") => Verdict.Ready("accepted"),
            _ => ConditionsReadiness.Judge(observation),
        };
    }

    /// <summary>Whether objects of a type can be anything but ready once they are there; the others need no watch.</summary>
    public static bool IsJudged(GroupVersionKind type) => (type.Group, type.Kind) switch
    {
        ("", "Pod" or "PersistentVolumeClaim" or "Service") => true,
        ("" or "rbac.authorization.k8s.io" or "networking.k8s.io" or "policy" or "storage.k8s.io" or "scheduling.k8s.io"
            or "coordination.k8s.io" or "discovery.k8s.io" or "admissionregistration.k8s.io" or "node.k8s.io", _) => false,
        ("batch", "CronJob") => false,
        _ => true,
    };

    private static string Group(string? apiVersion) => apiVersion?.Split('/') is [var group, _] ? group : "";
}

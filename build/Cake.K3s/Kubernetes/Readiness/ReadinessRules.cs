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

    /// <summary>Whether the object has pods, or stands for some, whose rollout takes time.</summary>
    public static bool IsWorkload(string apiVersion, string kind) => (Group(apiVersion), kind) is
        ("apps", "Deployment" or "StatefulSet" or "DaemonSet") or ("batch", "Job") or ("", "Pod") or ("helm.cattle.io", "HelmChart");

    private static string Group(string? apiVersion) => apiVersion?.Split('/') is [var group, _] ? group : "";
}

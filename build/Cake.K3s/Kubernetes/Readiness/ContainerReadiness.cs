using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Judges one container of a pod by its status as the kubelet writes it.</summary>
internal static class ContainerReadiness
{
    public static Verdict Judge(
        JsonObject pod, JsonObject? spec, JsonObject status, ImmutableArray<JsonObject> events, PodPolicy policy, bool isInit)
    {
        if (status.At("state", "waiting") is { } waiting)
        {
            return JudgeWaiting(pod, status, waiting.Text("reason") ?? "", waiting.Text("message") ?? "", events, policy);
        }

        if (status.At("state", "terminated") is not null)
        {
            return ContainerCrashes.Judge(pod, status, events, policy)
                ?? Verdict.Waiting("Completed", isInit ? "runs its next init container" : "has ended");
        }

        if (isInit)
        {
            return ContainerCrashes.Judge(pod, status, events, policy) ?? Verdict.Waiting("Initializing", "the init container runs");
        }

        return status.Flag("ready") == true
            ? JudgeSettled(status, policy)
            : ContainerCrashes.Judge(pod, status, events, policy)
                ?? ContainerProbes.Judge(spec, status, events, policy)
                ?? Verdict.Waiting("Starting", "runs, and is not ready yet");
    }

    private static Verdict JudgeWaiting(
        JsonObject pod, JsonObject status, string reason, string message, ImmutableArray<JsonObject> events, PodPolicy policy)
    {
        switch (reason)
        {
            case "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "InvalidImageName" or "ImageInspectError"
                or "RegistryUnavailable" or "SignatureValidationFailed":
                return ImagePull.Judge(pod, status, reason, message, events);

            case "CreateContainerConfigError":
                // The kubelet's own cache was not filled in time; it tries again.
                return message.Contains("failed to sync", StringComparison.Ordinal) && message.Contains("cache", StringComparison.Ordinal)
                    ? Verdict.Transient(reason, message)
                    : Verdict.Fatal(reason, message, ConfigurationAdvice(pod, message));

            case "CreateContainerError" or "RunContainerError" or "PostStartHookError" or "CreatePodSandboxError":
                return ContainerStart.Judge(reason, message)
                    ?? ContainerCrashes.Judge(pod, status, events, policy)
                    ?? Verdict.Transient(reason, message);

            case "CrashLoopBackOff":
                return ContainerCrashes.Judge(pod, status, events, policy) ?? Verdict.Transient(reason, message);

            default:
                return ContainerCrashes.Judge(pod, status, events, policy)
                    ?? Verdict.Waiting(reason.Length == 0 ? "Pending" : reason, message.Length == 0 ? "is being created" : message);
        }
    }

    /// <summary>
    /// A container that has just started proves nothing: without a probe it counts as ready even while it crashes. It has to stay
    /// up for a while first.
    /// </summary>
    private static Verdict JudgeSettled(JsonObject status, PodPolicy policy)
    {
        var settledAt = (status.Time("state", "running", "startedAt") ?? policy.Now) + policy.Overrides.Settle;
        return settledAt <= policy.Now
            ? Verdict.Ready("ready")
            : Verdict.Waiting("Settling", "watched a little longer for an early crash") with { RecheckAt = settledAt };
    }

    private static string ConfigurationAdvice(JsonObject pod, string message) =>
        message.Contains("runAsNonRoot", StringComparison.Ordinal)
            ? "set runAsUser in the manifest or USER in the Dockerfile to a numeric user other than 0"
            : message.Contains("find key", StringComparison.Ordinal)
                ? "correct the key in the manifest, or add it to the ConfigMap or Secret that the message names"
                : message.Contains("not found", StringComparison.Ordinal)
                    ? $"add the object that the message names to the manifests of namespace {pod.NamespaceName()}, or correct its name"
                    : "correct the container's configuration in the manifest";
}

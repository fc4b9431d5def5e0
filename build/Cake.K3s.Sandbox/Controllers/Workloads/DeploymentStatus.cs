using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>The status of a Deployment and its conditions (pkg/controller/deployment/progress.go).</summary>
internal static class DeploymentStatus
{
    private const string Progressing = "Progressing";
    private const string Completed = "NewReplicaSetAvailable";

    /// <summary>The status that follows from the ReplicaSets.</summary>
    /// <param name="deployment">With the last status.</param>
    /// <param name="current">The ReplicaSet of the present template; null before there is one.</param>
    /// <param name="all">All ReplicaSets, the present one too.</param>
    /// <param name="now">For conditions.</param>
    public static V1DeploymentStatus Of(V1Deployment deployment, V1ReplicaSet? current, IReadOnlyList<V1ReplicaSet> all, DateTime now)
    {
        var old = deployment.Status ?? new V1DeploymentStatus();
        var wanted = deployment.Spec.Replicas ?? 1;
        var available = all.Sum(set => set.Status?.AvailableReplicas ?? 0);
        var total = all.Sum(set => set.Status?.Replicas ?? 0);
        var status = new V1DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = total,
            UpdatedReplicas = current?.Status?.Replicas ?? 0,
            ReadyReplicas = all.Sum(set => set.Status?.ReadyReplicas ?? 0),
            AvailableReplicas = available,
            UnavailableReplicas = Math.Max(0, Math.Max(total, wanted) - available),
            TerminatingReplicas = all.Sum(set => set.Status?.TerminatingReplicas ?? 0),
            CollisionCount = old.CollisionCount,
            Conditions = [.. old.Conditions ?? []],
        };
        var enough = available >= wanted - RollingUpdate.Limits(deployment).Unavailable;
        Set(status, enough
            ? New("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
            : New("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now));
        NoteProgress(deployment, current, old, status, now);
        NoteFailure(status, current, all, now);
        return status;
    }

    /// <summary>How long until the progress deadline is passed; null when it does not apply.</summary>
    public static TimeSpan? UntilDeadline(V1Deployment deployment, V1DeploymentStatus status, DateTime now)
    {
        if (deployment.Spec.ProgressDeadlineSeconds is not { } deadline || deadline == int.MaxValue
            || Find(status, Progressing) is not { Status: "True" } condition || condition.Reason == Completed)
        {
            return null;
        }

        var left = (condition.LastUpdateTime ?? now).AddSeconds(deadline) - now;
        return left > TimeSpan.Zero ? left + TimeSpan.FromMilliseconds(100) : TimeSpan.FromMilliseconds(100);
    }

    public static bool IsComplete(V1Deployment deployment, V1DeploymentStatus status)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        return status.UpdatedReplicas == wanted && status.Replicas == wanted && status.AvailableReplicas == wanted
            && status.ObservedGeneration >= deployment.Metadata.Generation;
    }

    public static V1DeploymentCondition New(string type, string status, string reason, string message, DateTime now) => new()
    {
        Type = type,
        Status = status,
        Reason = reason,
        Message = message,
        LastUpdateTime = now,
        LastTransitionTime = now,
    };

    public static V1DeploymentCondition? Find(V1DeploymentStatus? status, string type) =>
        status?.Conditions?.FirstOrDefault(condition => condition.Type == type);

    /// <summary>Sets a condition; one of the same status and reason stays as it is.</summary>
    public static void Set(V1DeploymentStatus status, V1DeploymentCondition condition)
    {
        var old = Find(status, condition.Type);
        if (old is not null && old.Status == condition.Status && old.Reason == condition.Reason)
        {
            return;
        }

        Replace(status, old, condition);
    }

    private static void Replace(V1DeploymentStatus status, V1DeploymentCondition? old, V1DeploymentCondition condition)
    {
        if (old?.Status == condition.Status)
        {
            condition.LastTransitionTime = old.LastTransitionTime;
        }

        status.Conditions = [.. (status.Conditions ?? []).Where(other => other.Type != condition.Type), condition];
    }

    private static void NoteProgress(V1Deployment deployment, V1ReplicaSet? current, V1DeploymentStatus old, V1DeploymentStatus status, DateTime now)
    {
        if (deployment.Spec.ProgressDeadlineSeconds is not { } deadline || deadline == int.MaxValue)
        {
            status.Conditions = [.. status.Conditions.Where(condition => condition.Type != Progressing)];
            return;
        }

        var known = Find(status, Progressing);
        if (status.Replicas == status.UpdatedReplicas && known?.Reason == Completed)
        {
            return;
        }

        var subject = current is null ? $"Deployment \"{deployment.Metadata.Name}\"" : $"ReplicaSet \"{current.Metadata.Name}\"";
        if (IsComplete(deployment, status))
        {
            Set(status, New(Progressing, "True", Completed, $"{subject} has successfully progressed.", now));
        }
        else if (HasProgressed(old, status))
        {
            Replace(status, known, New(Progressing, "True", "ReplicaSetUpdated", $"{subject} is progressing.", now));
        }
        else if (known is not null && known.Reason != Completed
            && (known.Reason == "ProgressDeadlineExceeded" || (known.LastUpdateTime ?? now).AddSeconds(deadline) < now))
        {
            Set(status, New(Progressing, "False", "ProgressDeadlineExceeded", $"{subject} has timed out progressing.", now));
        }
    }

    private static bool HasProgressed(V1DeploymentStatus old, V1DeploymentStatus now) =>
        (now.UpdatedReplicas ?? 0) > (old.UpdatedReplicas ?? 0)
        || (now.Replicas ?? 0) - (now.UpdatedReplicas ?? 0) < (old.Replicas ?? 0) - (old.UpdatedReplicas ?? 0)
        || (now.ReadyReplicas ?? 0) > (old.ReadyReplicas ?? 0)
        || (now.AvailableReplicas ?? 0) > (old.AvailableReplicas ?? 0);

    private static void NoteFailure(V1DeploymentStatus status, V1ReplicaSet? current, IReadOnlyList<V1ReplicaSet> all, DateTime now)
    {
        var failure = new[] { current }.Concat(all).SelectMany(set => set?.Status?.Conditions ?? [])
            .FirstOrDefault(condition => condition is { Type: "ReplicaFailure", Status: "True" });
        if (failure is null)
        {
            status.Conditions = [.. status.Conditions.Where(condition => condition.Type != "ReplicaFailure")];
        }
        else
        {
            Set(status, New("ReplicaFailure", "True", failure.Reason ?? "", failure.Message ?? "", failure.LastTransitionTime ?? now));
        }
    }
}

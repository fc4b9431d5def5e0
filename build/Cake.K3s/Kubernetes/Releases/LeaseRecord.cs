using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Reads and writes the Lease that is the deploy lock. Pure.</summary>
internal static class LeaseRecord
{
    public const string ProcessAnnotation = "cake.k3s/process";
    public const string CiRunAnnotation = "cake.k3s/ci-run";

    public static readonly GroupVersionKind Kind = new("coordination.k8s.io", "v1", "Lease");

    /// <summary>How long the lock outlives its holder's last sign of life.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    // Clocks of two machines are taken to differ by less than this.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    public static string? Holder(JsonObject? lease) => lease.Text("spec", "holderIdentity") is { Length: > 0 } holder ? holder : null;

    /// <summary>Whether it can be taken at once.</summary>
    /// <param name="lease">The Lease as it is.</param>
    /// <param name="now">This machine's time.</param>
    /// <param name="isDead">Whether a process is known to have ended.</param>
    public static bool IsFree(JsonObject lease, DateTimeOffset now, Func<string, bool> isDead) =>
        Holder(lease) is null
        || (lease.Annotation(ProcessAnnotation) is { } process && isDead(process))
        || lease.Time("spec", "renewTime") is not { } renewed
        || now - renewed > DurationOf(lease) + Skew;

    /// <summary>Whether the holder has not been heard of for a lease's duration, if the clocks agree.</summary>
    public static bool IsOverdue(JsonObject lease, DateTimeOffset now) => now - lease.Time("spec", "renewTime") > DurationOf(lease);

    public static TimeSpan DurationOf(JsonObject lease) =>
        lease.Number("spec", "leaseDurationSeconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : Duration;

    /// <summary>The Lease as it is when a holder takes it.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="former">The Lease as it is now; null if there is none.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="now">The time.</param>
    public static JsonObject Taken(ObjectKey key, JsonObject? former, LockHolder holder, DateTimeOffset now)
    {
        var metadata = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace };
        if (former.ResourceVersion() is { } version)
        {
            metadata["resourceVersion"] = version;
        }

        var annotations = new JsonObject();
        if (holder.Process is not null)
        {
            annotations[ProcessAnnotation] = holder.Process;
        }

        if (holder.CiRun is not null)
        {
            annotations[CiRunAnnotation] = holder.CiRun;
        }

        metadata["annotations"] = annotations;
        return new()
        {
            ["apiVersion"] = Kind.ApiVersion,
            ["kind"] = Kind.Kind,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["holderIdentity"] = holder.Identity,
                ["leaseDurationSeconds"] = (int)Duration.TotalSeconds,
                ["acquireTime"] = MicroTime(now),
                ["renewTime"] = MicroTime(now),
                ["leaseTransitions"] = (former.Number("spec", "leaseTransitions") ?? -1) + 1,
            },
        };
    }

    /// <summary>The Lease with a new sign of life.</summary>
    public static JsonObject Renewed(JsonObject lease, DateTimeOffset now)
    {
        var renewed = lease.DeepClone().AsObject();
        renewed["spec"]!["renewTime"] = MicroTime(now);
        return renewed;
    }

    /// <summary>The Lease without a holder.</summary>
    public static JsonObject Freed(JsonObject lease)
    {
        var freed = lease.DeepClone().AsObject();
        freed["spec"]!["holderIdentity"] = "";
        freed["metadata"]!.AsObject().Remove("annotations");
        return freed;
    }

    /// <summary>Who holds it and since when, for people.</summary>
    public static string Describe(JsonObject lease)
    {
        var since = lease.Time("spec", "acquireTime") is { } time ? $" since {time:yyyy-MM-dd HH:mm:ss} UTC" : "";
        return $"{Holder(lease)}{since}" + (lease.Annotation(CiRunAnnotation) is { } run ? $" ({run})" : "");
    }

    private static string MicroTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}

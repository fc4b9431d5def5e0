namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>What is known of an object's rollout at one moment.</summary>
/// <param name="Class">What to do about it.</param>
/// <param name="Reason">Kubernetes' own word where it has one, e.g. <c>ImagePullBackOff</c>.</param>
/// <param name="Message">One line for a person.</param>
internal sealed record Verdict(VerdictClass Class, string Reason, string Message)
{
    /// <summary>The pod it is about; null for the object itself.</summary>
    public string? Pod { get; init; }

    /// <summary>The container it is about; null for the pod or the object.</summary>
    public string? Container { get; init; }

    /// <summary>What the operator does next; set for every fatal verdict.</summary>
    public string? NextStep { get; init; }

    /// <summary>When the verdict can change although nothing in the cluster does; null for never.</summary>
    public DateTimeOffset? RecheckAt { get; init; }

    public static Verdict Ready(string message) => new(VerdictClass.Ready, "Ready", message);

    public static Verdict Waiting(string reason, string message) => new(VerdictClass.Waiting, reason, message);

    public static Verdict Transient(string reason, string message) => new(VerdictClass.Transient, reason, message);

    public static Verdict Fatal(string reason, string message, string nextStep) =>
        new(VerdictClass.Fatal, reason, message) { NextStep = nextStep };

    /// <summary>The verdict that decides among several: the gravest, the first of equals; it is looked at again when any of them is.</summary>
    public static Verdict? Gravest(IEnumerable<Verdict> verdicts)
    {
        Verdict? gravest = null;
        DateTimeOffset? recheckAt = null;
        foreach (var verdict in verdicts)
        {
            if (gravest is null || verdict.Class > gravest.Class)
            {
                gravest = verdict;
            }

            if (verdict.RecheckAt is { } at && (recheckAt is null || at < recheckAt))
            {
                recheckAt = at;
            }
        }

        return gravest is null ? null : gravest with { RecheckAt = recheckAt };
    }
}

/// <summary>The classes of a verdict, from good to grave.</summary>
internal enum VerdictClass
{
    /// <summary>Rolled out.</summary>
    Ready,

    /// <summary>On its way; nothing is wrong.</summary>
    Waiting,

    /// <summary>Something is wrong that passes by itself in known cases; only the deadline makes it a failure.</summary>
    Transient,

    /// <summary>Waiting longer does not help.</summary>
    Fatal,
}

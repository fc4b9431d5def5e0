using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>The rollout of an object, and its pods, as they are now; reported at each change that shows.</summary>
/// <param name="Kind">The object's kind, e.g. <c>Deployment</c>.</param>
/// <param name="Namespace">Its namespace; null for an object of the whole cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">How its rollout stands.</param>
/// <param name="Message">One line: how far it is, and what it waits for.</param>
/// <param name="Pods">Its pods, old and new, in the order of their names.</param>
public sealed record WorkloadChanged(
    string Kind,
    string? Namespace,
    string Name,
    WorkloadState State,
    string Message,
    ImmutableArray<PodState> Pods) : RunEvent
{
    /// <summary>Whether a person would see a difference.</summary>
    public bool ShowsTheSameAs(WorkloadChanged? other) =>
        other is not null && State == other.State && Message == other.Message && Pods.SequenceEqual(other.Pods);

    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with { Message = hide(Message) };
}

/// <summary>How a rollout stands.</summary>
public enum WorkloadState
{
    /// <summary>On its way; nothing is wrong.</summary>
    Waiting,

    /// <summary>Something is wrong that may pass by itself.</summary>
    Struggling,

    /// <summary>Rolled out.</summary>
    Ready,

    /// <summary>Failed.</summary>
    Failed,
}

/// <summary>One pod.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Status">In a word, as kubectl shows it: <c>Running</c>, <c>ImagePullBackOff</c>, <c>Terminating</c>.</param>
/// <param name="Ready">Whether it takes traffic.</param>
/// <param name="Restarts">How often its containers were restarted.</param>
/// <param name="Node">Where it runs; null before it is placed.</param>
/// <param name="IsNew">Whether it is of the version that is being rolled out.</param>
public sealed record PodState(string Name, string Status, bool Ready, int Restarts, string? Node, bool IsNew);

using Cake.K3s.Sandbox.Node.Pods;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>A container of a pod as the engine knows it.</summary>
internal sealed record ContainerRecord
{
    public required string Id { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>created, running, paused, restarting, removing, exited or dead.</summary>
    public required string State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public int ExitCode { get; init; }

    public bool OutOfMemory { get; init; }

    /// <summary>Why the engine could not start it; empty when it could.</summary>
    public string Error { get; init; } = "";

    /// <summary>The engine's id of the image.</summary>
    public string ImageId { get; init; } = "";

    /// <summary>The address on the pod network; empty where the container has none of its own.</summary>
    public string Address { get; init; } = "";

    /// <summary>Its first process on this machine; 0 where it has none.</summary>
    public long ProcessId { get; init; }

    public bool Running => State is "running" or "paused";

    /// <summary>It was made, but the node was killed before it could start it.</summary>
    public bool NeverStarted => State == "created" && Error.Length == 0;

    public string Name => Labels.GetValueOrDefault(PodLabels.Container, "");

    public string PodUid => Labels.GetValueOrDefault(PodLabels.PodUid, "");

    public int RestartCount => int.TryParse(Labels.GetValueOrDefault(PodLabels.RestartCount), out var count) ? count : 0;
}

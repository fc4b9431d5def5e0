namespace Cake.K3s.Kubernetes.Api;

/// <summary>Which part of a container's log is read.</summary>
public sealed record LogOptions
{
    /// <summary>The container; null for a pod that has only one.</summary>
    public string? Container { get; init; }

    /// <summary>Goes on until the container ends.</summary>
    public bool Follow { get; init; }

    /// <summary>The log of the container's last run before its restart.</summary>
    public bool Previous { get; init; }

    /// <summary>Only so many lines from the end; null for all.</summary>
    public int? TailLines { get; init; }
}

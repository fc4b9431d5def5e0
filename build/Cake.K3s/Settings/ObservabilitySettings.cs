using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>One part of what observes the cluster and the app.</summary>
public sealed record ObservabilitySettings
{
    /// <summary>The folders of its manifests; empty for the part's own below <c>manifests/observability</c>.</summary>
    public ImmutableArray<string> Manifests { get; init; } = [];

    /// <summary>The folders of its manifests, or its own.</summary>
    internal ImmutableArray<string> FoldersOr(string own) => Manifests.IsEmpty ? [own] : Manifests;
}

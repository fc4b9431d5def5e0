using System.Collections.Immutable;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>All objects of the app, in the order of their files.</summary>
/// <param name="Objects">What is applied.</param>
/// <param name="Migration">The Job that migrates the schema, which is not among <paramref name="Objects"/>; null if the app has none.</param>
public sealed record ManifestSet(ImmutableArray<Manifest> Objects, Manifest? Migration);

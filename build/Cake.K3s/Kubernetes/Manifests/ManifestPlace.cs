using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>Where something stands in a manifest.</summary>
/// <param name="File">The file, relative to the repository; for kustomize the folder.</param>
/// <param name="Line">The line, from 1; 0 where none is known.</param>
/// <param name="Column">The column, from 1; 0 where none is known.</param>
public readonly record struct ManifestPlace(string File, int Line, int Column)
{
    /// <summary><c>file:line:column</c>.</summary>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";

    /// <summary>The error of this place; exit code 2.</summary>
    internal SettingsException Error(string problem, string? nextStep = null) => new(File, Line, Column, problem, nextStep);
}

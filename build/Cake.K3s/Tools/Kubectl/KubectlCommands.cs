using Cake.K3s.Processes;

namespace Cake.K3s.Tools.Kubectl;

/// <summary>Commands for kubectl; runs nothing.</summary>
internal static class KubectlCommands
{
    /// <summary>Builds the manifests of a folder with a kustomization and writes them to standard output.</summary>
    public static Command Kustomize(Tool kubectl, string folder) => new(kubectl.Path, "kustomize", folder)
    {
        Environment = kubectl.Environment,
        Purpose = $"build the kustomization in {folder}",
        Timeout = TimeSpan.FromMinutes(2),
    };
}

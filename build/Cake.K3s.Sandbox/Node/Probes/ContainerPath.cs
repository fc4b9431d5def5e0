using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Probes;

/// <summary>The field that events about a container point to.</summary>
internal static class ContainerPath
{
    public static string Of(V1Pod pod, V1Container container) =>
        pod.Spec.InitContainers?.Any(init => init.Name == container.Name) == true
            ? $"spec.initContainers{{{container.Name}}}"
            : $"spec.containers{{{container.Name}}}";
}

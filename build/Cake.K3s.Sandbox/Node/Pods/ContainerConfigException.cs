namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>A container's configuration cannot be had; its reason in the pod's status is CreateContainerConfigError.</summary>
internal sealed class ContainerConfigException(string message) : Exception(message);

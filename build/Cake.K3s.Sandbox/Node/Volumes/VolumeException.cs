namespace Cake.K3s.Sandbox.Node.Volumes;

/// <summary>A volume cannot be set up yet; the message is worded as the kubelet's FailedMount event.</summary>
internal sealed class VolumeException(string message) : Exception(message);

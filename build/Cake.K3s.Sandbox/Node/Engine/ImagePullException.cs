namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>An image could not be pulled; the message is worded as containerd's.</summary>
internal sealed class ImagePullException(string message) : Exception(message);

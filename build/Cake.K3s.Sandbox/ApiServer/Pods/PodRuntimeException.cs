namespace Cake.K3s.Sandbox.ApiServer.Pods;

/// <summary>The node cannot do what was asked of a pod; the client gets <see cref="Exception.Message"/> in a Status object.</summary>
/// <param name="statusCode">The HTTP status: 400 as a rule (the container is not running, there is no previous one), 500 for a fault of the node.</param>
/// <param name="message">In a kubelet's words, for example <c>container "api" in pod "api-0" is waiting to start: ContainerCreating</c>.</param>
internal sealed class PodRuntimeException(int statusCode, string message) : Exception(message)
{
    public int StatusCode { get; } = statusCode;
}

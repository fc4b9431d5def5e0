namespace Cake.K3s.Kubernetes.Api;

/// <summary>No answer came from the API, however often it was asked.</summary>
public sealed class ClusterUnreachableException : K3sException
{
    /// <summary>Makes the failure.</summary>
    /// <param name="purpose">What was tried.</param>
    /// <param name="server">The API's address.</param>
    /// <param name="why">What kept the answer away.</param>
    /// <param name="innerException">What was caught.</param>
    public ClusterUnreachableException(string purpose, Uri server, string why, Exception? innerException = null)
        : base(
            ExitCodes.Failed,
            $"{purpose}: the Kubernetes API at {server.GetLeftPart(UriPartial.Authority)} cannot be reached: {why}",
            "check that the cluster is up and that this machine can reach it: curl -k " + new Uri(server, "version"),
            innerException: innerException)
    {
    }
}

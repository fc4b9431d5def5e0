using Cake.K3s.Hardening.Cluster;

namespace Cake.K3s.Hardening.Edge;

/// <summary>Asks the app as a visitor does: through Cloudflare.</summary>
internal sealed class EdgeVisitor(ControlCluster cluster, HttpClient http)
{
    /// <summary>Asks for a path of a host.</summary>
    /// <exception cref="K3sException">It does not answer.</exception>
    public async Task<HttpResponseMessage> AskAsync(string host, string path, CancellationToken cancellationToken)
    {
        var address = new Uri((await cluster.EnvironmentAsync()).AddressOf(host), path);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{host} does not answer at {address}: {failure.GetBaseException().Message}",
                "See that its DNS record is proxied by Cloudflare and leads to the nodes.",
                innerException: failure);
        }
    }

    /// <summary>What Cloudflare says where it did not come to an answer of the origin's (520 to 527); null where it did.</summary>
    public async Task<string?> RefusalAsync(string host, CancellationToken cancellationToken)
    {
        using var response = await AskAsync(host, "/", cancellationToken);
        return (int)response.StatusCode switch
        {
            525 => "525: Cloudflare's TLS handshake with the nodes failed",
            526 => "526: Cloudflare does not accept the nodes' certificate",
            >= 520 and <= 527 and var status => $"{status}: Cloudflare gets no answer from the nodes",
            _ => null,
        };
    }
}

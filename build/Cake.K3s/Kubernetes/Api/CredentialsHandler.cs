using k8s.Authentication;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Puts the kubeconfig's credentials on each request; tokens from exec plugins and OIDC are renewed on the way.</summary>
internal sealed class CredentialsHandler(ServiceClientCredentials? credentials, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", "cake-k3s");
        var ready = credentials?.ProcessHttpRequestAsync(request, cancellationToken) ?? Task.CompletedTask;
        return ready.IsCompletedSuccessfully ? base.SendAsync(request, cancellationToken) : SendAsync(ready, request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(Task ready, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await ready;
        return await base.SendAsync(request, cancellationToken);
    }
}

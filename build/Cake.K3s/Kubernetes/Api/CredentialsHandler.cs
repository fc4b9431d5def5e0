using k8s.Authentication;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Puts the kubeconfig's credentials on each request; tokens from exec plugins and OIDC are renewed on the way.</summary>
internal sealed class CredentialsHandler(ServiceClientCredentials? credentials, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", "cake-k3s");
        if (credentials is not null)
        {
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        }

        return await base.SendAsync(request, cancellationToken);
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.Observability;

/// <summary>Asks a Service in the cluster through the Kubernetes API, so that it needs no address of its own outside.</summary>
internal static class ServiceRequests
{
    /// <summary>Reads a JSON answer.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="ns">The Service's namespace.</param>
    /// <param name="service">Its name and port, <c>name:port</c>.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="KubernetesApiException">There is no such Service, or its answer is no success.</exception>
    public static async Task<JsonObject> ServiceJsonAsync(this ClusterApi api, string ns, string service, string path, CancellationToken cancellationToken) =>
        JsonNode.Parse(await api.ReadTextAsync(Path(ns, service, path), cancellationToken)) as JsonObject ?? [];

    /// <summary>Reads a JSON answer of the Prometheus that the control Monitoring installs.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="KubernetesApiException">It is not there, or its answer is no success.</exception>
    public static Task<JsonObject> PrometheusJsonAsync(this ClusterApi api, string path, CancellationToken cancellationToken) =>
        api.ServiceJsonAsync("monitoring", "prometheus-operated:9090", path, cancellationToken);

    /// <summary>Sends JSON.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="ns">The Service's namespace.</param>
    /// <param name="service">Its name and port, <c>name:port</c>.</param>
    /// <param name="path">The path.</param>
    /// <param name="body">What is sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="KubernetesApiException">There is no such Service, or its answer is no success.</exception>
    public static Task PostServiceAsync(this ClusterApi api, string ns, string service, string path, JsonObject body, CancellationToken cancellationToken) =>
        api.PostAsync(Path(ns, service, path), body, cancellationToken);

    private static string Path(string ns, string service, string path) => $"api/v1/namespaces/{ns}/services/{service}/proxy/{path}";
}

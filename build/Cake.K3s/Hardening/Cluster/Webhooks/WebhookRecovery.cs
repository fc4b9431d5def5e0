using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening.Cluster.Webhooks;

/// <summary>
/// Gets a cluster out of the state in which it refuses what it is asked for because an admission webhook (Kyverno's, say) must be
/// asked and nobody answers. The API server asks no webhook about the webhooks themselves, so their configurations can be deleted.
/// </summary>
public sealed class WebhookRecovery
{
    private static readonly GroupVersionKind SliceType = new("discovery.k8s.io", "v1", "EndpointSlice");
    private static readonly GroupVersionKind[] ConfigurationTypes =
    [
        new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
        new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly IReporter _reporter;

    internal WebhookRecovery(PipelineRun run, ClusterConnector connector, IReporter reporter)
    {
        _run = run;
        _connector = connector;
        _reporter = reporter;
    }

    /// <summary>
    /// Shows the webhook configurations that block: those that must be asked, and whose service has nobody who answers. With
    /// <c>--confirm</c> keeps each in <c>artifacts/webhooks/</c> and deletes it.
    /// </summary>
    public async Task RecoverAsync()
    {
        var cancellationToken = _run.Cancellation;
        var api = await _connector.OpenAsync((await _run.EnvironmentAsync()).Cluster, cancellationToken);
        var found = 0;
        foreach (var type in ConfigurationTypes)
        {
            foreach (var configuration in (await api.ListAsync(type, null, null, cancellationToken)).Items)
            {
                if (await BlocksAsync(api, configuration, cancellationToken) is not { } service)
                {
                    continue;
                }

                found++;
                var key = ObjectKey.Of(configuration);
                _reporter.Step("webhooks", $"{key} must be asked, and its service {service} has no endpoint that is ready");
                if (_run.Options.Confirm)
                {
                    await RemoveAsync(api, key, configuration, cancellationToken);
                }
            }
        }

        _reporter.Step("webhooks", (found, _run.Options.Confirm) switch
        {
            (0, _) => "none blocks",
            (_, true) => $"{found} deleted; what they belong to makes them again when it runs (Kyverno does), or kubectl create -f does",
            _ => $"{found} block; --confirm deletes them and keeps copies",
        });
    }

    private async Task RemoveAsync(ClusterApi api, ObjectKey key, JsonObject configuration, CancellationToken cancellationToken)
    {
        var copy = configuration.DeepClone().AsObject();
        foreach (var member in (string[])["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"])
        {
            copy.Child("metadata").Remove(member);
        }

        var file = Path.Combine(_run.Options.ArtifactsDirectory, "webhooks", $"{key.Type.Kind}-{key.Name}.json");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, copy.ToJsonString(Indented), cancellationToken);
        await api.DeleteAsync(key, cancellationToken, new() { Uid = configuration.Uid() });
        _reporter.Step("webhooks", $"{key} deleted; kept as {Path.GetRelativePath(_run.Options.Root, file)}");
    }

    /// <summary>The service without anybody who answers, as <c>namespace/name</c>; null if the configuration blocks nothing.</summary>
    private static async Task<string?> BlocksAsync(ClusterApi api, JsonObject configuration, CancellationToken cancellationToken)
    {
        // The default is Fail; one that is given by an address outside the cluster cannot be judged from here.
        foreach (var service in configuration.Objects("webhooks")
            .Where(webhook => webhook.Text("failurePolicy") != "Ignore")
            .Select(webhook => webhook.At("clientConfig", "service"))
            .OfType<JsonObject>())
        {
            var (ns, name) = (service.Text("namespace")!, service.Text("name")!);
            var slices = await api.ListAsync(SliceType, ns, new() { LabelSelector = "kubernetes.io/service-name=" + name }, cancellationToken);
            if (!slices.Items.SelectMany(slice => slice.Objects("endpoints")).Any(endpoint => endpoint.Flag("conditions", "ready") != false))
            {
                return $"{ns}/{name}";
            }
        }

        return null;
    }
}

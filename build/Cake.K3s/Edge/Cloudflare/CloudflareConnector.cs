using Cake.K3s.Hosting;
using Cake.K3s.Settings;

namespace Cake.K3s.Edge.Cloudflare;

/// <summary>Opens the Cloudflare zone of an environment.</summary>
/// <param name="run">The run, with its settings.</param>
/// <param name="secrets">Reads the token.</param>
/// <param name="http">Sends requests.</param>
/// <param name="time">The clock.</param>
internal sealed class CloudflareConnector(PipelineRun run, SecretReader secrets, HttpClient http, TimeProvider time)
{
    /// <summary>Opens the zone that the environment names.</summary>
    /// <exception cref="K3sException">deploy.yaml names none (exit code 2), the token cannot be read or sees no such zone (5), or Cloudflare refuses.</exception>
    public async Task<CloudflareZone> OpenAsync(CancellationToken cancellationToken)
    {
        var environment = run.EnvironmentSettings;
        if (environment.Edge is not { CloudflareZone: { } zone, CloudflareToken: { } source } edge)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"environment {environment.Name} has no Cloudflare zone with a token",
                "Set edge.cloudflareZone and edge.cloudflareToken of the environment in deploy.yaml; docs/edge.md shows both.");
        }

        var token = await secrets.ReadAsync("edge.cloudflareToken", source, run.Settings.Root, cancellationToken);
        return await CloudflareZone.OpenAsync(new(http, new Uri(edge.CloudflareApi.TrimEnd('/')), token, time), zone, cancellationToken);
    }
}

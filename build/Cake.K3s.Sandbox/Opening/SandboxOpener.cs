using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.BaseImages;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>Opens a sandbox environment: brings up what is down, and tells the pipeline where everything is.</summary>
internal sealed class SandboxOpener(
    RunOptions run,
    EnvironmentVariables variables,
    DaemonClient daemon,
    SandboxSigningKey keys,
    BaseImageStore baseImages,
    SecretReader secrets,
    ISecretMask mask) : IEnvironmentOpener
{
    public bool CanOpen(EnvironmentSettings environment) => environment.Sandbox is not null;

    public async Task<DeployEnvironment> OpenAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        var options = DaemonOptions.Of(run, environment.Sandbox ?? new SandboxSettings(), variables);
        var directory = options.Directory;
        var opening = daemon.OpenAsync(options, cancellationToken);

        // What needs no part of the sandbox is done while the parts start.
        var signing = keys.OpenAsync(directory, cancellationToken);
        var addresses = await opening;
        var postgres = new Secret(addresses.PostgresUrl);
        mask.Add(postgres);
        PrivateFiles.Write(Path.Combine(directory.DockerConfig, "config.json"), "{}");
        var registry = new RegistryConnection(addresses.Registry, settings.App, Insecure: true, directory.DockerConfig);
        return new DeployEnvironment
        {
            Name = environment.Name,
            Settings = environment,
            Cluster = new ClusterConnection(addresses.Kubeconfig, "sandbox", environment.Namespace ?? settings.App),
            Registry = registry,
            Builder = new BuilderConnection(addresses.DockerHost, Builder: null),
            SigningKey = await signing,
            BuildArguments = await baseImages.ResolveAsync(
                ArgumentsOf(settings, environment), settings.File, directory, registry, cancellationToken),
            Variables = environment.Variables,
            Secrets = await SecretsAsync(environment, postgres, settings.Root, cancellationToken),
            AddressOf = host => new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{addresses.IngressPort}")),
            ReferenceOf = (image, cancellation) => baseImages.ReferenceAsync(image, settings.File, directory, registry, cancellation),
        };
    }

    /// <summary>The arguments of each image: the environment's over the image's own.</summary>
    internal static ImmutableDictionary<string, ImmutableDictionary<string, string>> ArgumentsOf(
        DeploySettings settings,
        EnvironmentSettings environment) => settings.Images.ToImmutableDictionary(
            image => image.Key,
            image => image.Value.Arguments.SetItems(environment.Arguments.GetValueOrDefault(image.Key) ?? []));

    private async Task<ImmutableDictionary<string, Secret>> SecretsAsync(
        EnvironmentSettings environment,
        Secret postgres,
        string root,
        CancellationToken cancellationToken)
    {
        var values = ImmutableDictionary.CreateBuilder<string, Secret>();
        foreach (var (name, source) in environment.Secrets)
        {
            values[name] = source.Sandbox is SandboxService.Postgres
                ? postgres
                : await secrets.ReadAsync("secret " + name, source, root, cancellationToken);
        }

        return values.ToImmutable();
    }
}

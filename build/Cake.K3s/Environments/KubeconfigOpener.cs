using System.Collections.Immutable;
using Cake.K3s.Settings;
using Cake.Shared;
using k8s.KubeConfigModels;
using YamlDotNet.Core;

namespace Cake.K3s.Environments;

/// <summary>
/// Opens an environment that has a kubeconfig and a registry of its own. It reads files, variables and secrets, and talks to
/// neither of the two: whether they answer is found out by whoever needs them.
/// </summary>
internal sealed class KubeconfigOpener(SecretReader secrets, EnvironmentVariables variables) : IEnvironmentOpener
{
    private const string VariableKey = "env://";

    public bool CanOpen(EnvironmentSettings environment) => environment.Cluster is not null;

    public async Task<DeployEnvironment> OpenAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        return new DeployEnvironment
        {
            Name = environment.Name,
            Settings = environment,
            Cluster = ClusterOf(settings, environment),
            Registry = RegistryOf(settings, environment),
            Builder = new BuilderConnection(DockerHost: null, Builder: null),
            SigningKey = await SigningKeyAsync(settings, environment, cancellationToken),
            BuildArguments = environment.Arguments,
            Variables = environment.Variables,
            Secrets = await SecretsAsync(settings, environment, cancellationToken),
        };
    }

    /// <summary>The cluster of such an environment.</summary>
    /// <exception cref="K3sException">The kubeconfig is missing (exit code 5) or has no such context (2).</exception>
    public ClusterConnection ClusterOf(DeploySettings settings, EnvironmentSettings environment)
    {
        var cluster = environment.Cluster!;
        var kubeconfig = UserPath.Resolve(cluster.Kubeconfig, settings.Root, variables);
        CheckContext(kubeconfig, cluster.Context, environment.Name);
        return new ClusterConnection(kubeconfig, cluster.Context, environment.Namespace ?? settings.App);
    }

    /// <summary>The registry of such an environment.</summary>
    public RegistryConnection RegistryOf(DeploySettings settings, EnvironmentSettings environment)
    {
        var registry = environment.Registry!;
        var (host, prefix) = registry.Address.Split('/', 2) is [var name, var path] ? (name, path) : (registry.Address, "");
        var connection = new RegistryConnection(host, prefix, registry.Insecure, variables["DOCKER_CONFIG"] ?? UserPath.Resolve("~/.docker", settings.Root, variables));
        return connection with
        {
            Cache = registry.Cache switch
            {
                null or "false" => null,
                "true" => connection.RepositoryOf("cache"),
                var repository => repository,
            },
            CertificateAuthority = registry.CertificateAuthority is { } authority ? UserPath.Resolve(authority, settings.Root, variables) : null,
        };
    }

    private static void CheckContext(string kubeconfig, string? context, string environment)
    {
        if (!File.Exists(kubeconfig))
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the cluster of environment {environment} cannot be reached: there is no kubeconfig {kubeconfig}",
                $"Copy it there, or name another file as environments.{environment}.cluster.kubeconfig.");
        }

        K8SConfiguration content;
        try
        {
            content = KubeconfigFile.Read(kubeconfig);
        }
        catch (YamlException wrong)
        {
            throw new SettingsException(kubeconfig, (int)wrong.Start.Line, (int)wrong.Start.Column, "this is not a kubeconfig file");
        }

        var known = (content.Contexts ?? []).Select(candidate => candidate.Name).ToList();
        var wanted = context ?? content.CurrentContext;
        if (string.IsNullOrEmpty(wanted))
        {
            throw new SettingsException(kubeconfig, 0, 0, $"there is no current context; name one as environments.{environment}.cluster.context: {string.Join(", ", known)}");
        }

        if (!known.Contains(wanted, StringComparer.Ordinal))
        {
            var advice = NearestName.Find(wanted, known) is { } near ? $"did you mean '{near}'?" : $"there are: {string.Join(", ", known)}";
            throw new SettingsException(kubeconfig, 0, 0, $"there is no context '{wanted}', which environment {environment} names; {advice}");
        }
    }

    /// <summary>The signing key of such an environment.</summary>
    /// <exception cref="K3sException">It is not there, or its password is not (exit code 5), or deploy.yaml names none (2).</exception>
    public async Task<SigningKey> SigningKeyAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        var signing = environment.Signing ?? settings.Signing;
        var privateKey = signing.PrivateKey ?? throw new SettingsException(
            settings.File,
            0,
            0,
            $"environment {environment.Name} has no signing key",
            $"Name one as signing.privateKey (cosign.key), for all environments or for {environment.Name} alone; --target=SignKeyCreate makes it.");
        var publicKey = UserPath.Resolve(signing.PublicKey, settings.Root, variables);
        Require(publicKey, "public", environment.Name);

        if (privateKey.StartsWith(VariableKey, StringComparison.Ordinal))
        {
            // cosign reads the variable itself; here it is only made sure of, and masked.
            await secrets.ReadAsync(
                $"the signing key of environment {environment.Name}",
                new SecretSource { Variable = privateKey[VariableKey.Length..] },
                settings.Root,
                cancellationToken);
        }
        else if (!privateKey.Contains("://", StringComparison.Ordinal))
        {
            privateKey = UserPath.Resolve(privateKey, settings.Root, variables);
            Require(privateKey, "private", environment.Name);
        }

        var password = signing.Password is { } source
            ? await secrets.ReadAsync($"the signing key's password of environment {environment.Name}", source, settings.Root, cancellationToken)
            : null;
        return new SigningKey(privateKey, publicKey, password) { Form = signing.Form };
    }

    private static void Require(string keyFile, string kind, string environment)
    {
        if (!File.Exists(keyFile))
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                $"images of environment {environment} cannot be signed: there is no {kind} key {keyFile}",
                $"Make a pair with --target=SignKeyCreate --environment={environment}; the public key belongs into git, the private one does not.");
        }
    }

    private async Task<ImmutableDictionary<string, Secret>> SecretsAsync(
        DeploySettings settings,
        EnvironmentSettings environment,
        CancellationToken cancellationToken)
    {
        var values = ImmutableDictionary.CreateBuilder<string, Secret>(StringComparer.Ordinal);

        // One after the other: a command may ask the operator something.
        foreach (var (name, source) in environment.Secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
        {
            values[name] = await secrets.ReadAsync("secret " + name, source, settings.Root, cancellationToken);
        }

        return values.ToImmutable();
    }
}

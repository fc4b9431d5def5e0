using System.Collections.Immutable;
using Cake.K3s.Settings;

namespace Cake.K3s.Environments;

/// <summary>
/// An environment that has been opened: all that the pipeline needs to know of where it deploys to. The pipeline sees only
/// this; whether a production cluster or the sandbox is behind it does not show.
/// </summary>
public sealed record DeployEnvironment
{
    /// <summary>The name from deploy.yaml.</summary>
    public required string Name { get; init; }

    /// <summary>The environment's part of deploy.yaml.</summary>
    public required EnvironmentSettings Settings { get; init; }

    /// <summary>The cluster.</summary>
    public required ClusterConnection Cluster { get; init; }

    /// <summary>The registry that is pushed to and that the nodes pull from.</summary>
    public required RegistryConnection Registry { get; init; }

    /// <summary>The Docker engine that builds.</summary>
    public required BuilderConnection Builder { get; init; }

    /// <summary>The key pair that images are signed with.</summary>
    public required SigningKey SigningKey { get; init; }

    /// <summary>Build arguments by image name that override those of the image's settings.</summary>
    public ImmutableDictionary<string, ImmutableDictionary<string, string>> BuildArguments { get; init; } =
        ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty;

    /// <summary>Values for <c>${NAME}</c> in manifests.</summary>
    public ImmutableDictionary<string, string> Variables { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Secret values for <c>${NAME}</c>, allowed in Secret manifests alone.</summary>
    public ImmutableDictionary<string, Secret> Secrets { get; init; } = ImmutableDictionary<string, Secret>.Empty;

    /// <summary>The secret of a name.</summary>
    /// <exception cref="K3sException">There is none (exit code 2).</exception>
    internal Secret SecretNamed(string name) => Secrets.GetValueOrDefault(name) ?? throw new K3sException(
        ExitCodes.BadInput, $"environment {Name} has no secret {name}", $"Its secrets are: {string.Join(", ", Secrets.Keys.Order(StringComparer.Ordinal))}.");

    /// <summary>
    /// Maps an Ingress host to the address at which a person on this machine reaches it, e.g. <c>api.localhost</c> to
    /// <c>http://api.localhost:8080</c>.
    /// </summary>
    public Func<string, Uri> AddressOf { get; init; } = host => new Uri("https://" + host);

    /// <summary>
    /// The reference that the cluster pulls an image by which settings name: the name itself, or for the sandbox's own base images
    /// (<c>sandbox://NAME</c>) where its registry has them.
    /// </summary>
    public Func<string, CancellationToken, Task<string>> ReferenceOf { get; init; } = (image, _) => Task.FromResult(image);
}

/// <summary>How to reach a cluster.</summary>
/// <param name="Kubeconfig">Absolute path of the kubeconfig file.</param>
/// <param name="Context">The context in it; null for its current one.</param>
/// <param name="Namespace">The namespace that the app lives in.</param>
public sealed record ClusterConnection(string Kubeconfig, string? Context, string Namespace)
{
    /// <summary>What makes a next step's kubectl commands reach this cluster when they are typed; null for a step without one.</summary>
    internal string? AccessFor(string? nextStep) => nextStep is null || !nextStep.Contains("kubectl ", StringComparison.Ordinal) ? null
        : $"export KUBECONFIG={Kubeconfig}" + (Context is null ? "" : $", and add --context {Context}");
}

/// <summary>How to reach a registry. Credentials come from Docker's configuration, by the host's name.</summary>
/// <param name="Host">Host and optional port, e.g. <c>gitea.example.com</c> or <c>127.0.0.1:5000</c>.</param>
/// <param name="Prefix">What stands between host and image name, e.g. <c>me/honeydue</c>; may be empty. No slash at either end.</param>
/// <param name="Insecure">Plain HTTP.</param>
/// <param name="DockerConfig">Absolute path of the directory that holds Docker's config.json.</param>
public sealed record RegistryConnection(string Host, string Prefix, bool Insecure, string DockerConfig)
{
    /// <summary>Absolute path of an authority's certificate (PEM) that is trusted beside the system's; null for none.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>The repository that builds keep their cache in, a tag for each image; null for none.</summary>
    public string? Cache { get; init; }

    /// <summary>The repository of an image, without tag or digest, e.g. <c>gitea.example.com/me/honeydue/api</c>.</summary>
    public string RepositoryOf(string image) => Prefix.Length == 0 ? $"{Host}/{image}" : $"{Host}/{Prefix}/{image}";

    /// <summary>Another registry, with the same Docker configuration.</summary>
    /// <param name="address">Host and path; <c>http://</c> before them for plain HTTP.</param>
    public RegistryConnection At(string address)
    {
        const string Plain = "http://";
        var insecure = address.StartsWith(Plain, StringComparison.Ordinal);
        var parts = (insecure ? address[Plain.Length..] : address).Trim('/').Split('/', 2);
        return this with { Host = parts[0], Prefix = parts.Length > 1 ? parts[1] : "", Insecure = insecure };
    }
}

/// <summary>The Docker engine that builds.</summary>
/// <param name="DockerHost">The engine's address (<c>unix:///…</c>); null for the user's own default.</param>
/// <param name="Builder">The buildx builder's name; null for the default one.</param>
public sealed record BuilderConnection(string? DockerHost, string? Builder);

/// <summary>A cosign key pair.</summary>
/// <param name="PrivateKey">cosign's key reference: a file's path, <c>env://NAME</c>, <c>hashivault://NAME</c> or a KMS address.</param>
/// <param name="PublicKey">Absolute path of the public key in PEM form.</param>
/// <param name="Password">The private key's password; null for a key that has none (KMS).</param>
public sealed record SigningKey(string PrivateKey, string PublicKey, Secret? Password)
{
    /// <summary>How signatures are kept in the registry.</summary>
    public SignatureForm Form { get; init; }
}

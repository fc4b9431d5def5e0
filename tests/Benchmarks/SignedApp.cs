using System.Collections.Immutable;
using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Benchmarks;

/// <summary>An app whose images are built and signed, as BuildImage and Sign leave them.</summary>
internal sealed class SignedApp : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RegistryConnection _registry;

    public SignedApp(string root, string registry, params IEnumerable<string> images)
    {
        var file = Path.Combine(root, "deploy.yaml");
        var publicKey = Path.Combine(root, "cosign.pub");
        File.WriteAllText(publicKey, _key.ExportSubjectPublicKeyInfoPem());
        _registry = new(registry, "bench", Insecure: true, root);
        var settings = new DeploySettings
        {
            App = "bench",
            Images = images.ToImmutableDictionary(image => image, image => new ImageSettings { Context = image }),
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty,
            File = file,
        };
        var environment = new DeployEnvironment
        {
            Name = "bench",
            Settings = new(),
            Cluster = new("", null, "bench"),
            Registry = _registry,
            Builder = new(null, null),
            SigningKey = new("", publicKey, null),
        };
        Run = new(new() { Root = root, SettingsFile = file }, settings, environment);
    }

    public PipelineRun Run { get; }

    public ImagePusher Pusher => new(Run, Clients(new SecretMask()), Silence.Instance, TimeProvider.System);

    public static RegistryClients Clients(SecretMask mask) =>
        new(new(new CommandRunner(mask, TimeProvider.System), mask), mask, Silence.Instance, TimeProvider.System);

    public ImageArtifacts ArtifactsOf(string image) => new(Run.Options.ArtifactsDirectory, image);

    /// <summary>Signs an image whose archive is there.</summary>
    public void Sign(string image, Digest digest, string contentKey)
    {
        var artifacts = ArtifactsOf(image);
        var repository = _registry.RepositoryOf(image);
        var payload = SimpleSigning.Payload(repository, digest, new Dictionary<string, string> { [ImageSignature.ContentKeyAnnotation] = contentKey });
        File.WriteAllBytes(artifacts.Payload, payload);
        File.WriteAllText(artifacts.Signature, Convert.ToBase64String(_key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        artifacts.Write(new BuildRecord { Image = image, Repository = repository, Digest = digest, ContentKey = contentKey, Time = DateTimeOffset.UtcNow });
    }

    public void Dispose() => _key.Dispose();
}

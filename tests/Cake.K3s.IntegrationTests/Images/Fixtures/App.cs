using System.Collections.Immutable;
using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>An app with images to build, sign and push: a directory with a key pair, and the parts of the pipeline on it.</summary>
internal sealed class App : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private App(RegistryConnection registry, ImmutableDictionary<string, ImageSettings> images)
    {
        var environment = new EnvironmentSettings
        {
            Name = "test",
            Signing = new() { PrivateKey = "cosign.key", Password = new() { Variable = "PASSWORD" } },
        };
        Settings = new()
        {
            App = "shop",
            Images = images,
            DefaultEnvironment = "test",
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", environment),
            File = _directory.File("deploy.yaml"),
        };
        Environment = new()
        {
            Name = "test",
            Settings = environment,
            Cluster = new("none", null, "shop"),
            Registry = registry,
            Builder = new(null, null),
            SigningKey = new(_directory.File("cosign.key"), _directory.File("cosign.pub"), new(KeyPassword)),
        };
    }

    public const string KeyPassword = "correct horse battery staple";

    public DeploySettings Settings { get; set; }

    public DeployEnvironment Environment { get; set; }

    public RecordingReporter Reporter { get; } = new();

    public bool Rebuild { get; set; }

    public bool ForceTag { get; set; }

    /// <summary>Where cosign comes from.</summary>
    public IToolbox Toolbox { get; init; } = ExternalTools.Toolbox;

    public string Root => _directory.Path;

    public TemporaryDirectory Files => _directory;

    public PipelineRun Run => new(
        new() { Root = Root, SettingsFile = Settings.File, Rebuild = Rebuild, ForceTag = ForceTag },
        Settings,
        Environment);

    /// <summary>Makes the app without a key pair.</summary>
    public static App Create(RegistryConnection registry, params string[] images) =>
        new(registry, images.ToImmutableDictionary(name => name, name => new ImageSettings { Context = name }));

    /// <summary>Makes the app with a key pair by real cosign.</summary>
    public static Task<App> CreateAsync(RegistryConnection registry, params string[] images) => CreateAsync(registry, ExternalTools.Toolbox, images);

    /// <summary>Makes the app with a key pair by one of several cosigns.</summary>
    public static async Task<App> CreateAsync(RegistryConnection registry, IToolbox toolbox, params string[] images)
    {
        var app = new App(registry, images.ToImmutableDictionary(name => name, name => new ImageSettings { Context = name })) { Toolbox = toolbox };
        await app.MakeKeyPairAsync("cosign");
        return app;
    }

    public async Task MakeKeyPairAsync(string name)
    {
        var cosign = await ExternalTools.RequireAsync(ToolName.Cosign, Toolbox);
        await ExternalTools.Commands.RunAsync(
            new(cosign.Path, CosignArguments.GenerateKeyPair(name))
            {
                WorkingDirectory = Root,
                Environment = cosign.Environment,
                SecretEnvironment = ImmutableDictionary<string, Secret>.Empty.Add(CosignArguments.PasswordVariable, new(KeyPassword)),
            },
            default);
    }

    /// <summary>Signs with the private key of a test's own, without cosign: the signature is of the same kind.</summary>
    public void Sign(string image, ECDsa key)
    {
        var artifacts = Artifacts(image);
        var build = artifacts.ReadBuild();
        var annotations = new Dictionary<string, string> { [ImageSignature.ContentKeyAnnotation] = build.ContentKey };
        var payload = SimpleSigning.Payload(RepositoryOf(image), build.Digest, annotations);
        File.WriteAllBytes(artifacts.Payload, payload);
        File.WriteAllText(artifacts.Signature, Convert.ToBase64String(key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        Files.Write("cosign.pub", key.ExportSubjectPublicKeyInfoPem());
    }

    public async Task CheckAsync(params string[] images) => await new ImageGate(Run, Registries.Clients(Reporter), Reporter).CheckAsync(images, default);

    /// <summary>Variables that secrets are read from, besides the key's password.</summary>
    public Dictionary<string, string> Variables { get; } = new() { ["PASSWORD"] = KeyPassword };

    private SecretReader Secrets => new(new(Variables.GetValueOrDefault), ExternalTools.Commands, new SecretMask());

    public SigningKeyPairs KeyPairs => new(
        Run,
        ExternalTools.Toolbox,
        ExternalTools.Commands,
        new SecretReader(new(_ => KeyPassword), ExternalTools.Commands, new SecretMask()),
        new(_ => null),
        Reporter);

    public ImageArtifacts Artifacts(string image) => new(Run.Options.ArtifactsDirectory, image);

    public string RepositoryOf(string image) => Environment.Registry.RepositoryOf(image);

    public async Task BuildAsync() => await new ImageBuilder(Run, ExternalTools.Toolbox, ExternalTools.Commands, Registries.Clients(Reporter), Secrets, Reporter, TimeProvider.System).BuildAsync();

    public async Task SignAsync() => await new ImageSigner(Run, Toolbox, ExternalTools.Commands, Reporter).SignAsync();

    public async Task PushAsync() => await new ImagePusher(Run, Registries.Clients(Reporter), Reporter, TimeProvider.System).PushAsync();

    /// <summary>What BuildImage leaves, without a builder: an archive of random layers.</summary>
    public Digest WriteBuild(string image, string key, params int[] layerSizes)
    {
        var artifacts = Artifacts(image);
        artifacts.Clear();
        var digest = TestArchive.Write(artifacts.Archive, layerSizes);
        artifacts.Write(new BuildRecord { Image = image, Repository = RepositoryOf(image), Digest = digest, ContentKey = key, Time = DateTimeOffset.UnixEpoch });
        return digest;
    }

    /// <summary>Runs the command that Push prints for a person to check with.</summary>
    public async Task<CommandResult> CosignVerifyAsync(string image, string publicKey = "cosign.pub", params string[] more)
    {
        var cosign = await ExternalTools.RequireAsync(ToolName.Cosign, Toolbox);
        return await ExternalTools.Commands.RunAsync(
            new(cosign.Path, [.. CosignArguments.Verify(_directory.File(publicKey), image, Environment.Registry.Insecure, Environment.Registry.CertificateAuthority), .. more])
            {
                Environment = cosign.Environment,
                AcceptedExitCodes = [0, 1, 10, 12],
            },
            default);
    }

    /// <summary>Verifies an attestation with cosign itself.</summary>
    public async Task<CommandResult> CosignVerifyAttestationAsync(string image, string type)
    {
        var cosign = await ExternalTools.RequireAsync(ToolName.Cosign, Toolbox);
        return await ExternalTools.Commands.RunAsync(
            new(cosign.Path, "verify-attestation", "--key", _directory.File("cosign.pub"), "--insecure-ignore-tlog", "--allow-http-registry", "--type", type, image)
            {
                Environment = cosign.Environment,
                AcceptedExitCodes = [0, 1, 10, 12],
            },
            default);
    }

    public async Task InspectAsync(string? image = null) => await new ImageInspector(
        new(Run.Options with { Image = image }, Settings, Environment),
        Registries.Clients(Reporter),
        Reporter).VerifyAsync();

    public void Dispose() => _directory.Dispose();
}

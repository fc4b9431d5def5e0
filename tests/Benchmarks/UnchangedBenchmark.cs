using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Benchmarks;

/// <summary>
/// How long BuildImage, Sign and Push take together for three images of 500 files each of which nothing changed since they were
/// pushed, to a registry on this machine. Needs docker-registry on PATH.
/// </summary>
internal static class UnchangedBenchmark
{
    private const int Rounds = 9;
    private const int Files = 500;

    private static readonly ImmutableArray<string> Images = ["api", "admin", "worker"];

    public static async Task<int> RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("cake-k3s-bench-").FullName;
        try
        {
            await using var server = await EmptyRegistry.StartAsync();
            var registry = new RegistryConnection(server.Host, "bench", Insecure: true, root);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            await File.WriteAllTextAsync(Path.Combine(root, "cosign.pub"), key.ExportSubjectPublicKeyInfoPem());
            var run = RunOf(root, registry);
            foreach (var image in Images)
            {
                await PrepareAsync(run, registry, image, key);
            }

            await PusherOf(run).PushAsync();
            var times = new List<TimeSpan>();
            for (var round = 0; round <= Rounds; round++)
            {
                var start = Stopwatch.GetTimestamp();
                await PassAsync(run);
                if (round > 0)
                {
                    times.Add(Stopwatch.GetElapsedTime(start));
                }
                else
                {
                    Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds,8:0.000} s  the first time in the process");
                }
            }

            Console.WriteLine($"{times.Order().ElementAt(Rounds / 2).TotalSeconds,8:0.000} s  median of {Rounds}: BuildImage, Sign and Push of {Images.Length} unchanged images of {Files} files");
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task PassAsync(PipelineRun run)
    {
        var mask = new SecretMask();
        var commands = new CommandRunner(mask, TimeProvider.System);
        var secrets = new SecretReader(new(_ => null), commands, mask);
        await new ImageBuilder(run, new NoTools(), commands, ClientsOf(mask), secrets, Silence.Instance, TimeProvider.System).BuildAsync();
        await new ImageSigner(run, new NoTools(), commands, Silence.Instance).SignAsync();
        await PusherOf(run).PushAsync();
    }

    private static ImagePusher PusherOf(PipelineRun run) => new(run, ClientsOf(new SecretMask()), Silence.Instance, TimeProvider.System);

    private static RegistryClients ClientsOf(SecretMask mask) => new(new(new CommandRunner(mask, TimeProvider.System), mask), mask, Silence.Instance, TimeProvider.System);

    /// <summary>Leaves what BuildImage and Sign leave of a first build.</summary>
    private static async Task PrepareAsync(PipelineRun run, RegistryConnection registry, string image, ECDsa key)
    {
        var context = Directory.CreateDirectory(Path.Combine(run.Settings.Root, image)).FullName;
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY . /\n");
        for (var i = 0; i < Files; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(context, $"file{i}"), RandomNumberGenerator.GetBytes(10_000));
        }

        var inputs = new BuildInputs(run.Settings.Images[image], "linux/amd64", ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        var contentKey = await ContentKey.ComputeAsync(run.Settings.Root, inputs, default);
        var artifacts = new ImageArtifacts(run.Options.ArtifactsDirectory, image);
        var digest = ArchiveFile.Write(artifacts.Archive, 1, 100_000);
        var repository = registry.RepositoryOf(image);
        var payload = SimpleSigning.Payload(repository, digest, new Dictionary<string, string> { [ImageSignature.ContentKeyAnnotation] = contentKey });
        await File.WriteAllBytesAsync(artifacts.Payload, payload);
        await File.WriteAllTextAsync(artifacts.Signature, Convert.ToBase64String(key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        artifacts.Write(new BuildRecord { Image = image, Repository = repository, Digest = digest, ContentKey = contentKey, Time = DateTimeOffset.UtcNow });
    }

    private static PipelineRun RunOf(string root, RegistryConnection registry)
    {
        var file = Path.Combine(root, "deploy.yaml");
        var settings = new DeploySettings
        {
            App = "bench",
            Images = Images.ToImmutableDictionary(image => image, image => new ImageSettings { Context = image }),
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty,
            File = file,
        };
        var environment = new DeployEnvironment
        {
            Name = "bench",
            Settings = new(),
            Cluster = new("", null, "bench"),
            Registry = registry,
            Builder = new(null, null),
            SigningKey = new("", Path.Combine(root, "cosign.pub"), null),
        };
        return new(new() { Root = root, SettingsFile = file }, settings, environment);
    }

    private sealed class NoTools : IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            throw new InvalidOperationException($"{neededBy} wants {tool}, and nothing changed");
    }
}

using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using CliWrap;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>
/// How long a push of five layers of 40 MB takes, to a registry on this machine that is empty and then again, beside
/// <c>skopeo copy</c> and <c>docker push</c>. The own push also pushes a signature, and runs in a process that is there already.
/// Needs docker-registry on PATH; a peer that is not on PATH is left out.
/// </summary>
internal static class PushBenchmark
{
    private const int Rounds = 5;
    private const int Layers = 5;
    private const int LayerSize = 40_000_000;

    public static async Task<int> RunAsync()
    {
        var directory = Directory.CreateTempSubdirectory("cake-k3s-bench-");
        try
        {
            var artifacts = Path.Combine(directory.FullName, "artifacts");
            var image = new ImageArtifacts(artifacts, "api");
            var digest = ArchiveFile.Write(image.Archive, Layers, LayerSize);
            List<Peer> peers = [new("ImagePusher", host => PushAsync(directory.FullName, host, digest))];
            if (Finds("skopeo"))
            {
                peers.Add(new("skopeo copy", host => RunAsync("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "oci-archive:" + image.Archive, $"docker://{host}/bench/api:1")));
            }

            if (Finds("docker"))
            {
                await RunAsync("docker", "load", "-i", image.Archive);
                peers.Add(new("docker push", async host =>
                {
                    await RunAsync("docker", "tag", digest.ToString(), $"{host}/bench/api:1");
                    await RunAsync("docker", "push", "-q", $"{host}/bench/api:1");
                }));
            }

            // By turns, so that all meet the same disturbances.
            for (var round = 0; round <= Rounds; round++)
            {
                foreach (var peer in peers)
                {
                    await peer.MeasureAsync(isWarmUp: round == 0);
                }
            }

            Console.WriteLine($"Median of {Rounds} pushes of {Layers} layers of {LayerSize / 1_000_000} MB, {Environment.ProcessorCount} processors");
            foreach (var peer in peers)
            {
                Console.WriteLine($"{Peer.Median(peer.First).TotalSeconds,8:0.000} s  again {Peer.Median(peer.Again).TotalSeconds,6:0.000} s  {peer.Name}");
            }

            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task PushAsync(string root, string host, Digest digest)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var registry = new RegistryConnection(host, "bench", Insecure: true, root);
        var image = new ImageArtifacts(Path.Combine(root, "artifacts"), "api");
        var payload = SimpleSigning.Payload(registry.RepositoryOf("api"), digest);
        await File.WriteAllBytesAsync(image.Payload, payload);
        await File.WriteAllTextAsync(image.Signature, Convert.ToBase64String(key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        await File.WriteAllTextAsync(Path.Combine(root, "cosign.pub"), key.ExportSubjectPublicKeyInfoPem());
        image.Write(new BuildRecord { Image = "api", Repository = registry.RepositoryOf("api"), Digest = digest, ContentKey = "1", Time = DateTimeOffset.UtcNow });
        var settings = new DeploySettings
        {
            App = "bench",
            Images = ImmutableDictionary<string, ImageSettings>.Empty.Add("api", new() { Context = "." }),
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty,
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
        var mask = new SecretMask();
        var clients = new RegistryClients(new(new CommandRunner(mask, TimeProvider.System), mask), mask, Silence.Instance, TimeProvider.System);
        await new ImagePusher(new(new() { Root = root, SettingsFile = "" }, settings, environment), clients, Silence.Instance, TimeProvider.System).PushAsync();
    }

    private static bool Finds(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static async Task RunAsync(string program, params string[] arguments) => await Cli.Wrap(program).WithArguments(arguments).ExecuteBufferedAsync();

    private sealed record Peer(string Name, Func<string, Task> PushAsync)
    {
        public List<TimeSpan> First { get; } = [];

        public List<TimeSpan> Again { get; } = [];

        public static TimeSpan Median(List<TimeSpan> durations) => durations.Order().ElementAt(durations.Count / 2);

        public async Task MeasureAsync(bool isWarmUp)
        {
            await using var registry = await EmptyRegistry.StartAsync();
            foreach (var durations in new[] { First, Again })
            {
                var start = Stopwatch.GetTimestamp();
                await PushAsync(registry.Host);
                if (!isWarmUp)
                {
                    durations.Add(Stopwatch.GetElapsedTime(start));
                }
            }
        }
    }
}

using System.Diagnostics;
using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using CliWrap;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>
/// How long a push of five layers of 40 MB takes, to a registry on this machine that is empty and then again, beside
/// <c>skopeo copy</c> and <c>docker push</c>. The own push also pushes a signature, and runs in a process that is there already.
/// Needs docker-registry on PATH; a peer that is not on PATH, or a Docker client without an engine, is left out.
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
            var digest = TestArchive.WriteUnpackable(image.Archive, [.. Enumerable.Repeat(LayerSize, Layers)]);
            List<Peer> peers = [new("cake-k3s Push", host => PushAsync(directory.FullName, host, digest))];
            if (Finds("skopeo"))
            {
                peers.Add(new("skopeo copy", host => RunAsync("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "oci-archive:" + image.Archive, $"docker://{host}/bench/api:1")));
            }

            if (Finds("docker") && await AnswersAsync("docker", "version"))
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

            MarkdownTable.Write(
                [$"{Layers} layers of {LayerSize / 1_000_000} MB, seconds, median of {Rounds}", "new", "all is there"],
                peers.Select(peer => (string[])[peer.Name, MarkdownTable.Seconds(Peer.Median(peer.First)), MarkdownTable.Seconds(Peer.Median(peer.Again))]));
            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task PushAsync(string root, string host, Digest digest)
    {
        using var app = new SignedApp(root, host, "api");
        app.Sign("api", digest, "1");
        await app.Pusher.PushAsync();
    }

    private static bool Finds(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    // A client of Docker may be there without an engine; DOCKER_HOST names one elsewhere, as the sandbox's.
    private static async Task<bool> AnswersAsync(string program, params string[] arguments) =>
        (await Cli.Wrap(program).WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).ExitCode == 0;

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

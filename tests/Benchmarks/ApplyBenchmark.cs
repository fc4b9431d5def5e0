using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>
/// Apply of new objects, and of nothing new, beside the tools that are on PATH: all against the same API, each from a new process,
/// as a person at a terminal waits for it.
/// </summary>
internal static class ApplyBenchmark
{
    private const int Rounds = 3;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);

    public static async Task<int> RunAsync(IReadOnlyList<int> sizes)
    {
        var root = RepositoryRoot.Find();
        var host = await CompiledHost.ReadyAsync(root);
        var programs = Directory.CreateTempSubdirectory("bench-").FullName;
        try
        {
            await RunAsync(sizes, await CompiledHost.CopyOfThisAsync(root, Path.Combine(programs, "ahead")), Path.Combine(host, "Build.dll"));
            return 0;
        }
        finally
        {
            Directory.Delete(programs, recursive: true);
        }
    }

    private static async Task RunAsync(IReadOnlyList<int> sizes, string apply, string host)
    {
        Console.WriteLine($"| objects, seconds, median of {Rounds} | tool | new | nothing changed | peak memory |");
        Console.WriteLine("|---|---|---:|---:|---:|");
        foreach (var size in sizes)
        {
            var directory = Directory.CreateTempSubdirectory("bench-").FullName;
            try
            {
                await MeasureAsync(directory, size, apply, host);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static async Task MeasureAsync(string directory, int size, string apply, string host)
    {
        SyntheticApp.Write(directory, size);
        var plain = Path.Combine(directory, "plain");
        var chart = Path.Combine(directory, "chart");
        Peer[] peers =
        [
            new("cake-k3s", apply, (config, ns) => ["apply-once", config, ns, plain]),
            new("cake-k3s, the whole host", "dotnet", (_, _) => [host, "--target=Deploy", "--exclusive", $"--working={directory}"]),
            new("kubectl apply --server-side", "kubectl", (config, ns) => ["--kubeconfig", config, "-n", ns, "apply", "--server-side", "-f", plain]),
            new("kapp deploy", "kapp", (config, ns) => ["deploy", "--kubeconfig", config, "-n", ns, "-a", "bench", "-f", plain, "-y", "--wait=false"]),
            new("helm upgrade --install", "helm", (config, ns) => ["--kubeconfig", config, "-n", ns, "upgrade", "--install", "bench", chart]),
        ];
        foreach (var peer in peers.Where(peer => peer.IsThere))
        {
            var rounds = new List<(Measured New, Measured Again)>();
            for (var round = 0; round <= Rounds; round++)
            {
                // A new server for each: none meets the other's objects, or a warmer server.
                await using var api = await ApiProcess.StartAsync(Path.Combine(directory, $"{Array.IndexOf(peers, peer)}-{round}"));
                var config = Path.Combine(directory, "kubeconfig");
                await File.WriteAllTextAsync(config, ApiProcess.Kubeconfig(api.Address));
                await WriteSettingsAsync(directory, new Uri(api.Address));
                await CliWrap.Cli.Wrap("kubectl").WithArguments(["--kubeconfig", config, "apply", "--server-side", "-f", "-"])
                    .WithStandardInputPipe(CliWrap.PipeSource.FromString("apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}"))
                    .ExecuteBufferedAsync();
                var first = await peer.RunAsync(config);
                var second = await peer.RunAsync(config);
                if (round > 0)
                {
                    rounds.Add((first, second));
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size} | {peer.Name} | {Median(rounds.Select(round => round.New.Seconds)):0.00} | {Median(rounds.Select(round => round.Again.Seconds)):0.00} | {rounds.Max(round => Math.Max(round.New.Megabytes, round.Again.Megabytes))} MB |"));
        }
    }

    /// <summary>What the whole host deploys by; its images are pinned by digest, so there is nothing to build or to sign.</summary>
    private static async Task WriteSettingsAsync(string directory, Uri api)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(Path.Combine(directory, "cosign.key"), "nothing is signed");
        await File.WriteAllTextAsync(Path.Combine(directory, "cosign.pub"), key.ExportSubjectPublicKeyInfoPem());
        await File.WriteAllTextAsync(Path.Combine(directory, "deploy.yaml"), $$"""
            app: bench
            images: {}
            manifests: [plain]
            defaultEnvironment: bench
            signing: {privateKey: cosign.key}
            environments:
              bench:
                cluster: {kubeconfig: kubeconfig}
                registry: {address: "{{api.Authority}}/bench", insecure: true}
                namespace: bench

            """);
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);

    /// <param name="Seconds">From start to end.</param>
    /// <param name="Megabytes">The largest resident size that was seen.</param>
    private readonly record struct Measured(double Seconds, long Megabytes);

    private sealed record Peer(string Name, string Program, Func<string, string, string[]> Arguments)
    {
        public bool IsThere => File.Exists(Program) || (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(directory => File.Exists(Path.Combine(directory, Program)));

        public async Task<Measured> RunAsync(string kubeconfig)
        {
            var clock = Stopwatch.StartNew();
            var running = CliWrap.Cli.Wrap(Program)
                .WithArguments(Arguments(kubeconfig, "bench"))
                .ExecuteBufferedAsync();
            var peak = 0L;
            while (await Task.WhenAny(running.Task, Task.Delay(BetweenLooks)) != running.Task)
            {
                peak = Math.Max(peak, PeakMegabytes(running.ProcessId));
            }

            await running;
            return new(clock.Elapsed.TotalSeconds, peak);
        }

        // The kernel keeps the peak; only what comes in a process's last milliseconds is missed.
        private static long PeakMegabytes(int process)
        {
            try
            {
                var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
                return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }
}

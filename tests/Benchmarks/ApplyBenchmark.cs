using System.Diagnostics;
using System.Globalization;
using CliWrap.Buffered;

namespace Benchmarks;

/// <summary>
/// Apply of new objects, and of nothing new, beside the tools that are on PATH: all against the same API, each from a new process,
/// as a person at a terminal waits for it.
/// </summary>
internal static class ApplyBenchmark
{
    private const int Rounds = 3;

    public static async Task<int> RunAsync(IReadOnlyList<int> sizes)
    {
        Console.WriteLine($"| objects, seconds, median of {Rounds} | tool | new | nothing changed | peak memory |");
        Console.WriteLine("|---|---|---:|---:|---:|");
        foreach (var size in sizes)
        {
            var directory = Directory.CreateTempSubdirectory("bench-").FullName;
            try
            {
                await MeasureAsync(directory, size);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        return 0;
    }

    private static async Task MeasureAsync(string directory, int size)
    {
        SyntheticApp.Write(directory, size);
        var plain = Path.Combine(directory, "plain");
        var chart = Path.Combine(directory, "chart");
        Peer[] peers =
        [
            new("cake-k3s", Environment.ProcessPath!, (config, ns) => ["apply-once", config, ns, plain]),
            new("kubectl apply --server-side", "kubectl", (config, ns) => ["--kubeconfig", config, "-n", ns, "apply", "--server-side", "-f", plain]),
            new("kapp deploy", "kapp", (config, ns) => ["deploy", "--kubeconfig", config, "-n", ns, "-a", "bench", "-f", plain, "-y", "--wait=false"]),
            new("helm upgrade --install", "helm", (config, ns) => ["--kubeconfig", config, "-n", ns, "upgrade", "--install", "bench", chart]),
        ];
        foreach (var peer in peers.Where(peer => peer.IsThere))
        {
            var rounds = new List<(double New, double Again, string Memory)>();
            for (var round = 0; round <= Rounds; round++)
            {
                // A new server for each: none meets the other's objects, or a warmer server.
                await using var api = await ApiProcess.StartAsync(Path.Combine(directory, $"{peer.Name.Split(' ')[0]}-{round}"));
                var config = Path.Combine(directory, "kubeconfig");
                await File.WriteAllTextAsync(config, ApiProcess.Kubeconfig(api.Address));
                await CliWrap.Cli.Wrap("kubectl").WithArguments(["--kubeconfig", config, "apply", "--server-side", "-f", "-"])
                    .WithStandardInputPipe(CliWrap.PipeSource.FromString("apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}"))
                    .ExecuteBufferedAsync();
                var first = await peer.RunAsync(config);
                var second = await peer.RunAsync(config);
                if (round > 0)
                {
                    rounds.Add((first.Seconds, second.Seconds, first.Output.Split(' ') is [_, var memory, "read", ..] ? memory + " MB" : ""));
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size} | {peer.Name} | {Median(rounds.Select(round => round.New)):0.00} | {Median(rounds.Select(round => round.Again)):0.00} | {rounds[^1].Memory} |"));
        }
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);

    private sealed record Peer(string Name, string Program, Func<string, string, string[]> Arguments)
    {
        public bool IsThere => File.Exists(Program) || (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(directory => File.Exists(Path.Combine(directory, Program)));

        public async Task<(double Seconds, string Output)> RunAsync(string kubeconfig)
        {
            var clock = Stopwatch.StartNew();
            var result = await CliWrap.Cli.Wrap(Program)
                .WithArguments(Arguments(kubeconfig, "bench"))
                .ExecuteBufferedAsync();
            return (clock.Elapsed.TotalSeconds, result.StandardOutput);
        }
    }
}

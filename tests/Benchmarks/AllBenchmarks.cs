using System.Globalization;
using System.Text;
using Cake.K3s.Tools;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks;

/// <summary>Runs all benchmarks, each in a process of its own, and writes their tables with machine and versions into docs/benchmarks.md.</summary>
internal static class AllBenchmarks
{
    private const string Begin = "<!-- From here on written by: dotnet run --project tests/Benchmarks -c Release -- all -->";
    private const string End = "<!-- To here. -->";

    private static readonly Part[] Parts =
    [
        new("Start", ["start"], ["start"], Minutes: 5),
        new("Nothing changed", ["noop"], ["noop"], Minutes: 8),
        new("Verdict", ["verdict"], ["verdict"], Minutes: 2),
        new("Apply", ["apply", "200", "1000", "2000"], ["apply", "200", "1000", "2000"], Minutes: 15),
        new("Push", ["push"], ["push"], Minutes: 4),
        new("Images of which nothing changed", ["unchanged"], ["unchanged"], Minutes: 2),
        new("Audit and harden", ["harden", "3"], ["harden", "1"], Minutes: 15),
        new("Parts", ["parts"], ["parts"], Minutes: 4),
    ];

    /// <summary>Runs them; one that fails leaves the reason in place of its table.</summary>
    /// <param name="isShort">Fewer sizes and rounds: some ten minutes on two processors that do nothing else.</param>
    /// <returns>1 if one failed.</returns>
    public static async Task<int> RunAsync(bool isShort)
    {
        var page = Path.Combine(RepositoryRoot.Find(), "docs/benchmarks.md");
        var (path, kubectl) = await ProgramsAsync();
        var text = new StringBuilder(await MachineAsync(kubectl));
        var failed = 0;
        foreach (var part in Parts)
        {
            await Console.Error.WriteLineAsync($"{part.Title}...");
            var (table, isDone) = await RunAsync(part, isShort ? part.Short : part.Full, path);
            failed += isDone ? 0 : 1;
            text.Append(CultureInfo.InvariantCulture, $"\n### {part.Title}\n\n{table.Trim()}\n");

            // After each: what was measured is not lost with what follows.
            await WriteAsync(page, text.ToString());
        }

        Console.WriteLine($"{Parts.Length - failed} of {Parts.Length} written to {page}");
        return failed == 0 ? 0 : 1;
    }

    private static async Task<(string Table, bool IsDone)> RunAsync(Part part, string[] arguments, string path)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(part.Minutes));
        var (output, errors) = (new StringBuilder(), new StringBuilder());
        try
        {
            var result = await Cli.Wrap(Environment.ProcessPath!)
                .WithArguments(arguments)
                .WithEnvironmentVariables(variables => variables.Set("PATH", path))
                .WithStandardOutputPipe(PipeTarget.ToStringBuilder(output))
                .WithStandardErrorPipe(PipeTarget.Merge(PipeTarget.ToStringBuilder(errors), PipeTarget.ToStream(Console.OpenStandardError())))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(limit.Token);
            var table = output.ToString();
            return result.IsSuccess
                ? (table[(table.LastIndexOf(Benchmarks.Parts.Mark, StringComparison.Ordinal) is var at and >= 0 ? at + Benchmarks.Parts.Mark.Length : 0)..], true)
                : ($"Did not run: {LastLine(errors)}", false);
        }
        catch (OperationCanceledException)
        {
            return ($"Not done within {part.Minutes} minutes.", false);
        }
    }

    /// <summary>A PATH on which the peers are found too that the project fetches itself, and kubectl.</summary>
    private static async Task<(string Path, Tool Kubectl)> ProgramsAsync()
    {
        await using var services = LibraryServices.Build();
        var tools = services.GetRequiredService<IToolbox>();
        var kubectl = await tools.RequireAsync(ToolName.Kubectl, "the benchmarks", CancellationToken.None);
        var registry = await tools.RequireAsync(ToolName.Registry, "the benchmarks", CancellationToken.None);
        var folders = new[] { kubectl, registry }.Select(tool => Path.GetDirectoryName(tool.Path)!);
        return (string.Join(Path.PathSeparator, folders.Append(Environment.GetEnvironmentVariable("PATH"))), kubectl);
    }

    private static async Task<string> MachineAsync(Tool kubectl)
    {
        var processor = (await File.ReadAllLinesAsync("/proc/cpuinfo")).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1];
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        var commit = await Cli.Wrap("git").WithArguments(["-C", RepositoryRoot.Find(), "rev-parse", "--short", "HEAD"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        var client = await Cli.Wrap(kubectl.Path).WithArguments(["version", "--client"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        var version = client.StandardOutput.Split('\n')[0].Split(": v")[^1];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{DateTimeOffset.UtcNow:yyyy-MM-dd}, commit {commit.StandardOutput.Trim()}: {Environment.ProcessorCount} processors ({processor?.Trim()}), "
                + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GB, {Environment.OSVersion.VersionString}, .NET {Environment.Version}, kubectl {version}; load {load} at the beginning.\n");
    }

    private static async Task WriteAsync(string page, string text)
    {
        var before = await File.ReadAllTextAsync(page);
        var (start, end) = (before.IndexOf(Begin, StringComparison.Ordinal), before.IndexOf(End, StringComparison.Ordinal));
        if (start < 0 || end < start)
        {
            throw new InvalidOperationException($"{page} has no place for the figures between '{Begin}' and '{End}'");
        }

        await File.WriteAllTextAsync(page, $"{before[..(start + Begin.Length)]}\n\n{text}\n{before[end..]}");
    }

    private static string LastLine(StringBuilder text) =>
        text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "no word about why";

    private sealed record Part(string Title, string[] Full, string[] Short, int Minutes);
}

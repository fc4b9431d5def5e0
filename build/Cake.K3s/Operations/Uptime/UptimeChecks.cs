using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Operations.Uptime;

/// <summary>
/// Looks at every check once, from this machine: for a schedule in CI, and to try deploy.yaml. Who is told of a failure is up to
/// <c>notifications</c>, as of every run that fails.
/// </summary>
public sealed class UptimeChecks
{
    private const string Source = "uptime";
    private readonly PipelineRun _run;
    private readonly UptimeProbe _probe;
    private readonly IReporter _reporter;

    internal UptimeChecks(PipelineRun run, UptimeProbe probe, IReporter reporter)
    {
        _run = run;
        _probe = probe;
        _reporter = reporter;
    }

    /// <summary>Looks at all of them at the same time.</summary>
    /// <exception cref="K3sException">There is none (exit code 2), or one is not as it should be (1).</exception>
    public async Task CheckAsync()
    {
        var environment = _run.EnvironmentSettings;
        var checks = environment.Uptime?.Checks ?? throw new K3sException(
            ExitCodes.BadInput, $"environment {environment.Name} has no 'uptime' in deploy.yaml", "docs/uptime.md shows one.");
        var results = await Task.WhenAll(checks.Select(async check => (check.Name, Wrong: await _probe.WrongAsync(check, _run.Cancellation))));
        foreach (var (name, wrong) in results)
        {
            _reporter.Step(Source, $"{name}: {wrong ?? "is as it should be"}");
        }

        var failed = results.Where(result => result.Wrong is not null).Select(result => $"{result.Name}: {result.Wrong}").ToList();
        if (failed.Count > 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{failed.Count} of {checks.Length} checks fail: {string.Join("; ", failed)}",
                $"--target=Status --environment={environment.Name} shows what runs.");
        }
    }
}

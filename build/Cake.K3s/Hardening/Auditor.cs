using System.Collections.Immutable;
using Cake.Core;
using Cake.K3s.Hardening.Reports;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.Shared;

namespace Cake.K3s.Hardening;

/// <summary>Reads how every control stands, or those of <c>--controls</c>, all at the same time, and changes nothing.</summary>
public sealed class Auditor
{
    private readonly PipelineRun _run;
    private readonly ControlSet _controls;
    private readonly IReporter _reporter;
    private readonly IConsole _console;
    private readonly ISecretMask _mask;

    internal Auditor(PipelineRun run, ControlSet controls, IReporter reporter, IConsole console, ISecretMask mask)
    {
        _run = run;
        _controls = controls;
        _reporter = reporter;
        _console = console;
        _mask = mask;
    }

    /// <summary>Writes a table to the console, and <c>ENVIRONMENT.json</c> and <c>ENVIRONMENT.sarif</c> under artifacts/audit/.</summary>
    /// <exception cref="K3sException">
    /// With <c>--fail-on-drift</c>, where a control is not in place (exit code 1). <c>--controls</c> names one that there is not (exit code 2).
    /// </exception>
    public async Task AuditAsync()
    {
        var environment = _run.EnvironmentSettings.Name;
        var findings = (await ReadAsync(_controls.Of(_run.Options.Controls))).SelectMany(found => found).ToImmutableArray();
        foreach (var line in FindingTable.Of(findings, HangingLines.TerminalWidth()))
        {
            _console.WriteLine(line);
        }

        var folder = Directory.CreateDirectory(Path.Combine(_run.Options.ArtifactsDirectory, "audit")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, environment + ".json"), FindingsJson.Of(environment, findings), _run.Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, environment + ".sarif"), SarifLog.Of(_controls.All, findings), _run.Cancellation);

        var open = findings.Count(finding => !finding.State.IsFine());
        var summary = $"{findings.Length - open} of {findings.Length} findings are fine";
        _reporter.Step("audit", $"{summary}; written to {Path.Combine(folder, environment)}.json and .sarif");
        if (open > 0 && _run.Options.FailOnDrift)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{open} of {findings.Length} findings of environment {environment} are not as they should be",
                $"--target=Harden --environment={environment} puts all in place, --plan beside it shows what that changes.");
        }
    }

    /// <summary>Reads how controls stand, in their order; secrets masked.</summary>
    internal async Task<ImmutableArray<Finding>[]> ReadAsync(IEnumerable<IControl> controls) =>
        await Task.WhenAll(controls.Select(async control => (await FindingsOfAsync(control)).Select(Masked).ToImmutableArray()));

    // One control that cannot be read must not hide what the others found.
    private async Task<ImmutableArray<Finding>> FindingsOfAsync(IControl control)
    {
        try
        {
            return await control.AuditAsync(_run.Cancellation);
        }
        catch (K3sException failure) when (failure.ExitCode != ExitCodes.BadInput)
        {
            return [new Finding(control.Name, "", ControlState.Unknown, failure.Summary, [.. failure.Details])];
        }
    }

    private Finding Masked(Finding finding) => finding with
    {
        Summary = _mask.Hide(finding.Summary),
        Evidence = [.. finding.Evidence.Select(_mask.Hide)],
    };
}

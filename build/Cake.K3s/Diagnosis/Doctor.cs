using Cake.Core;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.Shared;

namespace Cake.K3s.Diagnosis;

/// <summary>Looks at all that a deploy needs before there is one, and says how to mend what is wrong.</summary>
public sealed class Doctor
{
    // A server that does not answer must not keep the rest of the answers from the operator.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly PipelineRun _run;
    private readonly MachineCheckup _machine;
    private readonly IReadOnlyList<ICheckup> _checkups;
    private readonly ISecretMask _mask;
    private readonly IConsole _console;
    private readonly TimeProvider _time;

    internal Doctor(PipelineRun run, MachineCheckup machine, IEnumerable<ICheckup> checkups, ISecretMask mask, IConsole console, TimeProvider time)
    {
        _run = run;
        _machine = machine;
        _checkups = [.. checkups];
        _mask = mask;
        _console = console;
        _time = time;
    }

    /// <summary>Looks at everything and writes a line for each; below what is wrong, how to mend it.</summary>
    /// <exception cref="K3sException">Something is wrong: settings (exit code 2), or what a run needs (5).</exception>
    public async Task ExamineAsync()
    {
        var found = new List<Observation>(_machine.Examine());
        DeploySettings settings;
        EnvironmentSettings environment;
        try
        {
            settings = _run.Settings;
            environment = _run.EnvironmentSettings;
        }
        catch (SettingsException wrong)
        {
            Write(found.Append(Observation.Wrong("settings", wrong)));
            throw Sum(found.Count(diagnosis => diagnosis.Health == Health.Wrong) + 1, ExitCodes.BadInput);
        }

        found.Add(Observation.Good("settings", $"app {settings.App}, environment {environment.Name}, {settings.Images.Count} image{(settings.Images.Count == 1 ? "" : "s")}"));
        var examined = await Task.WhenAll(_checkups.Select(checkup => ExamineAsync(checkup, settings, environment)));
        found.AddRange(examined.SelectMany(diagnoses => diagnoses));
        Write(found);
        if (found.Count(diagnosis => diagnosis.Health == Health.Wrong) is > 0 and var wrongs)
        {
            throw Sum(wrongs, ExitCodes.RequirementMissing);
        }
    }

    private async Task<IReadOnlyList<Observation>> ExamineAsync(ICheckup checkup, DeploySettings settings, EnvironmentSettings environment)
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _run.Cancellation);
        var subject = checkup.GetType().Name.Replace("Checkup", "", StringComparison.Ordinal).ToLowerInvariant();
        try
        {
            return await checkup.ExamineAsync(settings, environment, either.Token);
        }
        catch (K3sException failure)
        {
            return [Observation.Wrong(subject, failure)];
        }
        catch (OperationCanceledException) when (!_run.Cancellation.IsCancellationRequested)
        {
            return [Observation.Wrong(subject, $"no answer within {Limit.TotalSeconds:0} s", "Look whether the network drops what is sent there: a firewall, a VPN, a proxy.")];
        }
    }

    private void Write(IEnumerable<Observation> diagnoses)
    {
        var all = diagnoses.ToList();
        var width = all.Max(diagnosis => diagnosis.Subject.Length);
        foreach (var diagnosis in all)
        {
            var mark = diagnosis.Health switch { Health.Good => "ok     ", Health.Warning => "warning", _ => "WRONG  " };
            Write($"{mark}  {diagnosis.Subject.PadRight(width)}  {diagnosis.Text}", 11 + width);
            if (diagnosis.Mend is { } mend)
            {
                Write($"{new string(' ', 11 + width)}Next: {mend}", 11 + width);
            }
        }
    }

    private void Write(string text, int column)
    {
        foreach (var line in _mask.Hide(text).Split('\n').SelectMany(line => HangingLines.Fit(line, Math.Min(column, line.Length), HangingLines.TerminalWidth())))
        {
            _console.WriteLine("{0}", line);
        }
    }

    private static K3sException Sum(int wrong, int exitCode) => new(
        exitCode,
        $"{wrong} thing{(wrong == 1 ? "" : "s")} would make a deploy fail",
        "Each line marked WRONG says how to mend it; then run --target=Doctor again.");
}

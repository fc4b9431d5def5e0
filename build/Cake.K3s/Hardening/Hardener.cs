using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening;

/// <summary>Puts controls in place, proves them, and takes them back.</summary>
public sealed class Hardener
{
    private readonly PipelineRun _run;
    private readonly ControlSet _controls;
    private readonly IReporter _reporter;
    private readonly Action<string>? _proved;

    internal Hardener(PipelineRun run, ControlSet controls, IReporter reporter, Action<string>? proved = null)
    {
        _run = run;
        _controls = controls;
        _reporter = reporter;
        _proved = proved;
    }

    /// <summary>
    /// Applies every control in order, or those of <c>--controls</c>, and proves those that changed something; with <c>--plan</c> only shows the changes. The proof of a harmless
    /// control goes on while the harmless ones right after it are applied.
    /// </summary>
    /// <exception cref="K3sException">
    /// A control failed; no further one was begun, except a harmless one right after another. Or there is no control of a name (exit code 2).
    /// </exception>
    public async Task HardenAllAsync()
    {
        var changed = 0;
        foreach (var wave in HardeningOrder.Waves(_controls.Of(_run.Options.Controls)))
        {
            changed += await HardenAsync(wave);
        }

        _reporter.Step("harden", Outcome(changed));
    }

    /// <summary>Applies one control and proves it where something changed, or with <c>--rerun</c>; with <c>--plan</c> only shows the changes.</summary>
    /// <exception cref="K3sException">There is no such control (exit code 2), or it failed.</exception>
    public Task HardenAsync(string name) => HardenAsync([_controls.Named(name)]);

    /// <summary>Takes one control back.</summary>
    /// <exception cref="K3sException">There is no such control (exit code 2), or undoing it failed.</exception>
    public async Task UndoAsync(string name)
    {
        var control = _controls.Named(name);
        var changes = await control.UndoAsync(_run.Cancellation);
        Report(control, changes);
        if (changes.IsEmpty)
        {
            _reporter.Step(control.Name, "there is nothing to undo");
        }
    }

    private async Task<int> HardenAsync(ImmutableArray<IControl> wave)
    {
        var changed = 0;
        var proofs = new List<Task>();
        try
        {
            foreach (var control in wave)
            {
                var changes = await ApplyAsync(control);
                changed += changes;
                if (!_run.Options.ShowPlan && (changes > 0 || _run.Options.Rerun))
                {
                    proofs.Add(VerifyAsync(control));
                }
            }
        }
        catch (Exception)
        {
            // Nothing may go on when this has ended. The control that could not be applied is what the run ends with.
            await Task.WhenAll(proofs).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var failure in proofs.Select(proof => proof.Exception?.InnerException).OfType<K3sException>())
            {
                _reporter.Warning("harden", failure.Summary);
            }

            throw;
        }

        await Task.WhenAll(proofs);
        return changed;
    }

    private async Task<int> ApplyAsync(IControl control)
    {
        if (_run.Options.PlanFile is { } file)
        {
            throw new K3sException(ExitCodes.BadInput, $"--plan takes no file here, and was given {file}", "--plan alone shows what would change.");
        }

        _run.Cancellation.ThrowIfCancellationRequested();
        var changes = _run.Options.ShowPlan ? await control.PlanAsync(_run.Cancellation) : await control.ApplyAsync(_run.Cancellation);
        Report(control, changes);
        if (changes.IsEmpty)
        {
            _reporter.Step(control.Name, "nothing to change");
        }

        return changes.Length;
    }

    private async Task VerifyAsync(IControl control)
    {
        var findings = await control.VerifyAsync(_run.Cancellation);
        foreach (var finding in findings)
        {
            _reporter.Step(control.Name, $"{finding.Target}: {finding.State.Text()}: {finding.Summary}");
        }

        if (findings.FirstOrDefault(finding => !finding.State.IsFine()) is { } failed)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{control.Name} is applied, and its effect does not show on {failed.Target}: {failed.Summary}",
                $"--target=Undo-{control.Name} takes it back.",
                failed.Evidence);
        }

        if (findings.Any(finding => finding.State == ControlState.InPlace))
        {
            _proved?.Invoke(control.Name);
        }
    }

    private void Report(IControl control, ImmutableArray<PlannedChange> changes)
    {
        foreach (var change in changes)
        {
            _reporter.Step(control.Name, $"{change.Target}: {change.Description}");
            foreach (var line in _run.Options.ShowPlan ? change.Difference?.TrimEnd('\n').Split('\n') ?? [] : [])
            {
                _reporter.Output(control.Name, line);
            }
        }
    }

    private string Outcome(int changed) => (changed, _run.Options.ShowPlan) switch
    {
        (0, _) => "all controls are in place, nothing changed",
        (_, true) => $"{changed} changes to make",
        _ => $"{changed} changes made and proved",
    };
}

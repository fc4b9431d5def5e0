using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Roadmap;

/// <summary>Keeps when operations were last done.</summary>
internal sealed class OperationsDone(Lazy<PipelineRun> run, Lazy<ProofLog> proofs, Func<IReadOnlySet<string>> operations) : IRunObserver
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _done = [];

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case TaskEnded { Outcome: TaskOutcome.Succeeded } ended:
                lock (_gate)
                {
                    _done.Add(ended.Name);
                }

                break;
            case RunEnded:
                Write();
                break;
        }
    }

    private void Write()
    {
        // Without settings no operation of an environment was done.
        if (_done.Count == 0 || run.Value.KnownSettings is null)
        {
            return;
        }

        try
        {
            foreach (var name in _done.Where(operations().Contains))
            {
                proofs.Value.Write(name);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SettingsException)
        {
            // The run has ended as it has; a date less changes nothing about that.
        }
    }
}

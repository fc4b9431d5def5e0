using Cake.Core.Diagnostics;

namespace Cake.K3s.Reporting.Progress;

/// <summary>Shows on a terminal what goes on, while the run does.</summary>
internal sealed class LiveProgress(Screen screen, ICakeLog log, TimeProvider time) : IRunObserver
{
    private readonly ProgressBoard _board = new();

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        _board.Take(runEvent);
        switch (runEvent)
        {
            case RunStarted when log.Verbosity >= Verbosity.Normal:
                screen.Show(() => _board.Lines(time.GetUtcNow()));
                break;
            case RunEnded:
                screen.Hide();
                break;
        }
    }
}

using Cake.Core.Diagnostics;

namespace Cake.K3s.Reporting.Progress;

/// <summary>
/// Where there is no live display, says what is waited for when nothing was written for long: a server of CI may end a job that is
/// silent, and a person cannot tell it from one that hangs.
/// </summary>
internal sealed class Heartbeat(Screen screen, ICakeLog log, TimeProvider time) : IRunObserver, IDisposable
{
    /// <summary>How long a run is silent at most.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly ProgressBoard _board = new();
    private ITimer? _timer;

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        _board.Take(runEvent);
        switch (runEvent)
        {
            case RunStarted when !screen.CanBeLive:
                _timer = time.CreateTimer(_ => Beat(), null, Interval, Timeout.InfiniteTimeSpan);
                break;
            case RunEnded:
                Dispose();
                break;
        }
    }

    /// <summary>Ends it.</summary>
    public void Dispose() => _timer?.Dispose();

    // What tasks say is no measure: the lines of all but the first of those that run are kept until it ends.
    private void Beat()
    {
        var now = time.GetUtcNow();
        if (now - screen.LastWritten >= Interval)
        {
            log.Information("{0}", $"still waiting for {_board.Waiting(now)}");
        }

        // At quiet verbosity nothing was written just now.
        var next = screen.LastWritten + Interval - now;
        _timer?.Change(next > TimeSpan.Zero ? next : Interval, Timeout.InfiniteTimeSpan);
    }
}

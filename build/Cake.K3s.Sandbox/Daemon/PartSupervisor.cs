using Cake.K3s.Reporting;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Keeps one part running: starts it when asked to, and again when it has ended.</summary>
internal sealed class PartSupervisor(ISandboxPart part, IReporter reporter, ILogger logger) : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1, 1);

    public ISandboxPart Part => part;

    /// <summary>Returns when the part answers; starts it if need be.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var status = await part.CheckAsync(cancellationToken);
            if (!status.IsHealthy || status.Version.Length == 0)
            {
                var start = TimeProvider.System.GetTimestamp();
                var adopted = part.IsRunning();
                await part.StartAsync(cancellationToken);
                if (!adopted)
                {
                    var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
                    reporter.Step("sandbox", FormattableString.Invariant($"{part.Name} started in {seconds:0.0} s"));
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Starts the part again whenever its process has ended, until cancelled.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        var pause = LookInterval;
        while (true)
        {
            await Task.Delay(pause, cancellationToken);
            if (part.IsRunning())
            {
                pause = LookInterval;
                continue;
            }

            try
            {
                logger.LogWarning("{Part} has ended; it is started again", part.Name);
                await EnsureAsync(cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // Whoever opens the sandbox next is told; until then it is tried again, ever more slowly.
                logger.LogError(exception, "{Part} could not be started", part.Name);
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
        }
    }

    public void Dispose() => _gate.Dispose();
}

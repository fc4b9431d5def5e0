using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// The deploy lock of this run: taken by the first task that needs it, kept over the tasks in between, given back after the verdict
/// or, at the latest, when the host ends.
/// </summary>
internal sealed class RunLock(PipelineRun run, IReporter reporter, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private DeployLock? _held;

    /// <summary>Does something under the lock, which stays held afterwards.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="body">What is done; its token ends also when the lock is lost.</param>
    /// <exception cref="K3sException">Another run holds the lock, or takes it meanwhile (exit code 4).</exception>
    public async Task HoldAsync(ClusterApi api, Func<CancellationToken, Task> body)
    {
        var held = await TakeAsync(api);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation, held.Lost);
        try
        {
            await body(either.Token);
        }
        catch (OperationCanceledException) when (held.Lost.IsCancellationRequested && !run.Cancellation.IsCancellationRequested)
        {
            throw await held.LostErrorAsync(run.Cancellation);
        }
    }

    /// <summary>Gives the lock back, if it is held.</summary>
    public async Task GiveBackAsync()
    {
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            if (_held is not null)
            {
                await _held.DisposeAsync();
                _held = null;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Gives the lock back as the host ends, which disposes of services without awaiting them.</summary>
    public void Dispose()
    {
        if (!Task.Run(TryGiveBackAsync).Wait(DisposeLimit))
        {
            reporter.Warning("lock", "the deploy lock could not be given back in time; its lease runs out by itself");
        }

        _gate.Dispose();
    }

    private async Task TryGiveBackAsync()
    {
        try
        {
            await GiveBackAsync();
        }
        catch (K3sException e)
        {
            reporter.Warning("lock", $"the deploy lock could not be given back, its lease runs out by itself: {e.Summary}");
        }
    }

    private async Task<DeployLock> TakeAsync(ClusterApi api)
    {
        await _gate.WaitAsync(run.Cancellation);
        try
        {
            var origin = RunOrigin.Read();
            return _held ??= await DeployLock.AcquireAsync(
                api,
                run.Settings.App,
                new($"{origin.By}, process {Environment.ProcessId}", ProcessIdentity.Current(), origin.CiRun),
                run.Options.LockWait,
                time,
                reporter,
                run.Cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }
}

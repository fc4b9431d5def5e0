using System.Net;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>
/// A level-triggered loop: whatever happened to an object, its key is reconciled against the current state, again with a growing pause
/// until that succeeds. A new process starts with every object, so nothing is lost when one is killed.
/// </summary>
internal abstract class Controller(ControllerContext context) : BackgroundService
{
    private const int Workers = 4;

    protected ClusterClient Client => context.Client;

    protected ClusterCache Cache => context.Cache;

    protected EventRecorder Events => context.Events;

    protected TimeProvider Time => context.Time;

    protected DateTime Now => context.Time.GetUtcNow().UtcDateTime;

    protected WorkQueue Queue { get; } = new(context.Time);

    public override void Dispose()
    {
        Queue.Dispose();
        base.Dispose();
    }

    /// <summary>Brings one object to what its spec asks for; called again after an exception.</summary>
    protected abstract Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Cache.SyncedAsync(stoppingToken);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => WorkAsync(stoppingToken), stoppingToken)));
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var key = await Queue.TakeAsync(cancellationToken);
            try
            {
                await ReconcileAsync(key, cancellationToken);
                Queue.Forget(key);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A conflict only says that the cache was behind; what is forbidden, e.g. by a quota, is told in events.
                var level = e is ApiException { IsConflict: true } or ApiException { Code: HttpStatusCode.Forbidden } ? LogLevel.Debug : LogLevel.Warning;
                context.Logger.Log(level, e, "{Controller} could not reconcile {Key}", GetType().Name, key);
                Queue.Retry(key);
            }
            finally
            {
                Queue.Done(key);
            }
        }
    }
}

/// <summary>What every controller needs.</summary>
internal sealed record ControllerContext(
    ClusterClient Client,
    ClusterCache Cache,
    EventRecorder Events,
    TimeProvider Time,
    ILogger<Controller> Logger);

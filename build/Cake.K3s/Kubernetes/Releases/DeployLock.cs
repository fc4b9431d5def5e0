using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>
/// The deploy lock of an app in a namespace, held: a Lease with a heartbeat. Two runs never deploy at once; the lock of a run that
/// has died is taken over, at once where its process can be seen to be gone, else when its lease has run out.
/// </summary>
internal sealed class DeployLock : IAsyncDisposable
{
    private readonly ClusterApi _api;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly Task _heartbeat;
    private JsonObject _lease;

    private DeployLock(ClusterApi api, TimeProvider time, JsonObject lease)
    {
        _api = api;
        _time = time;
        _lease = lease;
        _heartbeat = BeatAsync();
    }

    /// <summary>Cancelled when the lock is lost: another run took it, or the API could not be reached for a lease's duration.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Takes the lock.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="app">The app.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="wait">How long to wait while another run holds it; zero does not wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="reporter">Told of waiting and of taking over.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="K3sException">Another run holds it (exit code 4).</exception>
    public static async Task<DeployLock> AcquireAsync(
        ClusterApi api, string app, LockHolder holder, TimeSpan wait, TimeProvider time, IReporter reporter, CancellationToken cancellationToken)
    {
        var key = KeyOf(api, app);
        var giveUpAt = time.GetUtcNow() + wait;
        while (true)
        {
            var lease = await api.GetAsync(key, cancellationToken);
            if (lease is not null && !LeaseRecord.IsFree(lease, time.GetUtcNow(), ProcessIdentity.IsDead)
                && !await IsAbandonedAsync(api, key, lease, giveUpAt, time, reporter, cancellationToken))
            {
                continue;
            }

            if (await TryTakeAsync(api, key, lease, holder, time, cancellationToken) is not { } taken)
            {
                continue;
            }

            if (LeaseRecord.Holder(lease) is not null)
            {
                reporter.Warning("lock", $"took over the deploy lock of {LeaseRecord.Describe(lease!)}, which has ended without giving it back");
            }

            return new(api, time, taken);
        }
    }

    /// <summary>Who holds the lock, and since when; null if nobody does.</summary>
    public static async Task<string?> DescribeAsync(ClusterApi api, string app, CancellationToken cancellationToken) =>
        await api.GetAsync(KeyOf(api, app), cancellationToken) is { } lease && LeaseRecord.Holder(lease) is not null ? LeaseRecord.Describe(lease) : null;

    /// <summary>The failure that losing the lock is.</summary>
    public async Task<K3sException> LostErrorAsync(CancellationToken cancellationToken)
    {
        var lease = await _api.GetAsync(ObjectKey.Of(_lease), cancellationToken);
        return new(
            ExitCodes.LockHeld,
            lease is not null && LeaseRecord.Holder(lease) is not null
                ? $"the deploy lock was lost to {LeaseRecord.Describe(lease)}"
                : "the deploy lock was lost: it could not be renewed in time",
            "run the same command again when that run has ended");
    }

    /// <summary>Gives the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _heartbeat;
        if (!_lost.IsCancellationRequested)
        {
            try
            {
                await _api.ReplaceAsync(LeaseRecord.Freed(_lease), CancellationToken.None);
            }
            catch (KubernetesApiException e) when (e.IsConflict || e.IsNotFound)
            {
                // Somebody else has it by now: then it is not ours to give back.
            }
        }

        _ending.Dispose();
        _lost.Dispose();
    }

    private static ObjectKey KeyOf(ClusterApi api, string app) => new(LeaseRecord.Kind, api.Namespace, $"cake-k3s.{app}");

    private static async Task<JsonObject?> TryTakeAsync(
        ClusterApi api, ObjectKey key, JsonObject? former, LockHolder holder, TimeProvider time, CancellationToken cancellationToken)
    {
        var wanted = LeaseRecord.Taken(key, former, holder, time.GetUtcNow());
        try
        {
            return former is null ? await api.CreateAsync(wanted, cancellationToken) : await api.ReplaceAsync(wanted, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.IsConflict || e.IsAlreadyExists)
        {
            // Another run was faster.
            return null;
        }
    }

    /// <summary>
    /// Watches a Lease that is held: true when its holder gave no sign for a lease's duration, by this machine's clock alone; false
    /// when it changed. Gives up at a moment.
    /// </summary>
    private static async Task<bool> IsAbandonedAsync(
        ClusterApi api, ObjectKey key, JsonObject lease, DateTimeOffset giveUpAt, TimeProvider time, IReporter reporter, CancellationToken cancellationToken)
    {
        // A holder that seems to be overdue is watched for one more duration, in case the clocks differ.
        var expiresAt = time.GetUtcNow() + LeaseRecord.DurationOf(lease);
        var patience = LeaseRecord.IsOverdue(lease, time.GetUtcNow()) && giveUpAt < expiresAt ? expiresAt : giveUpAt;
        ThrowIfOver(patience);
        reporter.Step("lock", $"waits for the deploy lock of {LeaseRecord.Describe(lease)}");
        using var alarm = new CancellationTokenSource(UntilAlarm(), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, alarm.Token);
        try
        {
            var options = new ListOptions { FieldSelector = $"metadata.name={key.Name}" };
            await foreach (var change in api.WatchAsync(LeaseRecord.Kind, key.Namespace, options, either.Token))
            {
                if (change.Object.ObjectName() != key.Name || change.Object.ResourceVersion() == lease.ResourceVersion())
                {
                    continue;
                }

                if (change.Type == WatchEventType.Deleted || LeaseRecord.Holder(change.Object) != LeaseRecord.Holder(lease))
                {
                    return false;
                }

                lease = change.Object!;
                expiresAt = time.GetUtcNow() + LeaseRecord.DurationOf(lease);
                patience = giveUpAt;
                ThrowIfOver(patience);
                alarm.CancelAfter(UntilAlarm());
            }

            return false;
        }
        catch (OperationCanceledException) when (alarm.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return time.GetUtcNow() >= expiresAt ? true : throw Held(lease);
        }

        TimeSpan UntilAlarm() => Positive((patience < expiresAt ? patience : expiresAt) - time.GetUtcNow());

        void ThrowIfOver(DateTimeOffset moment)
        {
            if (time.GetUtcNow() >= moment)
            {
                throw Held(lease);
            }
        }
    }

    private static K3sException Held(JsonObject lease) =>
        new(
            ExitCodes.LockHeld,
            $"another run deploys: {LeaseRecord.Describe(lease)} holds the deploy lock",
            $"wait for it with --{Hosting.Switches.LockWait}=300, or run again later; the lock of a run that died is free {LeaseRecord.DurationOf(lease).TotalSeconds:0} s after it");

    private async Task BeatAsync()
    {
        var aliveUntil = _time.GetUtcNow() + LeaseRecord.Duration;
        try
        {
            while (true)
            {
                await Task.Delay(LeaseRecord.Duration / 3, _time, _ending.Token);
                using var limit = new CancellationTokenSource(Positive(aliveUntil - _time.GetUtcNow()), _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token, limit.Token);
                try
                {
                    var now = _time.GetUtcNow();
                    _lease = await _api.ReplaceAsync(LeaseRecord.Renewed(_lease, now), either.Token);
                    aliveUntil = now + LeaseRecord.Duration;
                }
                catch (KubernetesApiException e) when (e.IsConflict || e.IsNotFound)
                {
                    await _lost.CancelAsync();
                    return;
                }
                catch (Exception e) when (e is K3sException || (e is OperationCanceledException && limit.IsCancellationRequested))
                {
                    // The API may be back in time.
                    if (_time.GetUtcNow() >= aliveUntil)
                    {
                        await _lost.CancelAsync();
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The lock is given back.
        }
    }

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.FromMilliseconds(1);
}

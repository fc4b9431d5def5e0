using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Kubernetes.Releases;

public sealed class DeployLockTests
{
    private static readonly LockHolder Ann = new("ann@laptop", null, null);
    private static readonly LockHolder Bob = new("bob@ci", null, "https://git.example.com/runs/7");

    private TimerProbe _time = null!;
    private InMemoryApi _server = null!;
    private ClusterApi _api = null!;
    private Lines _lines = null!;

    [SetUp]
    public void Open()
    {
        _time = new(A.Time);
        _server = new();
        _api = _server.Open(_time);
        _lines = new();
    }

    [TearDown]
    public void Close() => _api.Dispose();

    [Test]
    public async Task Should_BeFreeAgain_When_GivenBack()
    {
        await (await TakeAsync(Ann)).DisposeAsync();

        await using var second = await TakeAsync(Bob);

        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("bob@ci"));
        Assert.That(Lease().Number("spec", "leaseTransitions"), Is.EqualTo(1));
    }

    [Test]
    public async Task Should_NameHolderAndExit4_When_Held()
    {
        await using var held = await TakeAsync(Bob);

        var failure = Assert.ThrowsAsync<K3sException>(() => TakeAsync(Ann))!;

        Assert.That(failure.ExitCode, Is.EqualTo(4));
        Assert.That(failure.Message, Does.Contain("bob@ci since 2026-03-01 12:00:00 UTC (https://git.example.com/runs/7)"));
    }

    [Test]
    public async Task Should_StayHeld_When_HeartbeatGoesOn()
    {
        await using var held = await TakeAsync(Bob);
        for (var beat = 0; beat < 30; beat++)
        {
            await BeatAsync(TimeSpan.FromSeconds(5));
        }

        Assert.That(held.Lost.IsCancellationRequested, Is.False);
        Assert.That(Assert.ThrowsAsync<K3sException>(() => TakeAsync(Ann))!.ExitCode, Is.EqualTo(4));
    }

    [Test]
    public async Task Should_TakeOverAtOnce_When_LeaseRanOutLongAgo()
    {
        Hold("bob@ci", _time.GetUtcNow() - TimeSpan.FromMinutes(5));

        await using var taken = await TakeAsync(Ann);

        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("ann@laptop"));
        Assert.That(_lines.Text, Does.Contain("took over the deploy lock of bob@ci"));
    }

    [Test]
    public async Task Should_TakeOverAtOnce_When_ProcessOfThisMachineIsGone()
    {
        Hold("bob@laptop", _time.GetUtcNow(), process: DeadProcess());

        await using var taken = await TakeAsync(Ann);

        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("ann@laptop"));
    }

    [Test]
    public async Task Should_TakeOverAfterLease_When_HolderGivesNoSign()
    {
        Hold("bob@ci", _time.GetUtcNow());

        var taking = TakeAsync(Ann, TimeSpan.FromSeconds(60));
        await _server.WatchedAsync();
        _time.Advance(TimeSpan.FromSeconds(14));
        Assert.That(taking.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(2));

        await using var taken = await taking;
        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("ann@laptop"));
    }

    [Test]
    public async Task Should_TakeItAtOnce_When_HolderGivesItBackWhileWaiting()
    {
        var held = await TakeAsync(Bob);
        var taking = TakeAsync(Ann, TimeSpan.FromSeconds(60));
        await _server.WatchedAsync();

        await held.DisposeAsync();

        await using var taken = await taking;
        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("ann@laptop"));
    }

    [Test]
    public async Task Should_GiveUp_When_WaitIsOverAndHolderIsAlive()
    {
        await using var held = await TakeAsync(Bob);
        var taking = TakeAsync(Ann, TimeSpan.FromSeconds(12));
        await _server.WatchedAsync();

        await BeatAsync(TimeSpan.FromSeconds(5));
        await BeatAsync(TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.That(Assert.ThrowsAsync<K3sException>(() => taking)!.ExitCode, Is.EqualTo(4));
    }

    [Test]
    public async Task Should_TellHolder_When_LockWasTakenFromIt()
    {
        await using var held = await TakeAsync(Ann);
        Hold("bob@ci", _time.GetUtcNow());
        var lost = new TaskCompletionSource();
        held.Lost.Register(lost.SetResult);

        _time.Advance(TimeSpan.FromSeconds(5));

        await lost.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That((await held.LostErrorAsync(default)).Message, Does.Contain("lost to bob@ci"));
    }

    [Test]
    public async Task Should_LeaveLockOfOther_When_GivingBackAfterLoss()
    {
        var held = await TakeAsync(Ann);
        Hold("bob@ci", _time.GetUtcNow());

        await held.DisposeAsync();

        Assert.That(Lease().Text("spec", "holderIdentity"), Is.EqualTo("bob@ci"));
    }

    [Test]
    public async Task Should_LetExactlyOneHaveIt_When_ManyTryAtOnce()
    {
        var tries = Enumerable.Range(0, 8).Select(i => TakeAsync(new($"run-{i}", null, null))).ToList();
        try
        {
            await Task.WhenAll(tries);
        }
        catch (K3sException)
        {
            // All but one.
        }

        Assert.That(tries.Count(attempt => attempt.IsCompletedSuccessfully), Is.EqualTo(1));
        await tries.Single(attempt => attempt.IsCompletedSuccessfully).Result.DisposeAsync();
    }

    private Task<DeployLock> TakeAsync(LockHolder holder, TimeSpan wait = default) =>
        DeployLock.AcquireAsync(_api, "honeydue", holder, wait, _time, _lines, default);

    private JsonObject Lease() => _server.Find("leases", "cake-k3s.honeydue")!;

    private void Hold(string holder, DateTimeOffset renewed, string? process = null)
    {
        var lease = LeaseRecord.Taken(new(LeaseRecord.Kind, "shop", "cake-k3s.honeydue"), null, new(holder, process, null), renewed);
        _server.Put(lease);
    }

    /// <summary>Lets the heartbeat beat once.</summary>
    private async Task BeatAsync(TimeSpan after)
    {
        var before = Lease().ResourceVersion();
        var rests = _time.NextTimerAsync(after);
        _time.Advance(after);
        await rests;
        Assert.That(Lease().ResourceVersion(), Is.Not.EqualTo(before));
    }

    private static string DeadProcess()
    {
        Assume.That(OperatingSystem.IsLinux());
        var parts = ProcessIdentity.Current()!.Split('/');
        return $"{parts[0]}/{parts[1]}/{parts[2]}/1";
    }

    /// <summary>A clock that tells when somebody begins to wait for a span of time.</summary>
    private sealed class TimerProbe(DateTimeOffset start) : FakeTimeProvider(start)
    {
        private volatile TaskCompletionSource? _next;
        private TimeSpan _due;

        public Task NextTimerAsync(TimeSpan due)
        {
            _due = due;
            _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _next.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == _due)
            {
                _next?.TrySetResult();
            }

            return timer;
        }
    }

    private sealed class Lines : IReporter
    {
        private readonly List<string> _lines = [];

        public string Text => string.Join('\n', _lines);

        public void Report(RunEvent runEvent)
        {
            if (runEvent is LineReported line)
            {
                _lines.Add(line.Text);
            }
        }
    }
}

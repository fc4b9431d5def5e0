using Cake.K3s.Sandbox.Controllers.Client;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Sandbox.Tests.Controllers;

public sealed class WorkQueueTests
{
    private static readonly ObjectKey Key = new("shop", "api");
    private readonly FakeTimeProvider _time = new();
    private WorkQueue _queue = null!;

    [SetUp]
    public void MakeQueue() => _queue = new(_time);

    [TearDown]
    public void DisposeQueue() => _queue.Dispose();

    [Test]
    public async Task Should_Hand_A_Key_Out_Once_When_It_Is_Added_Twice()
    {
        _queue.Add(Key);
        _queue.Add(Key);
        await TakeAsync();
        _queue.Done(Key);

        Assert.That(IsEmpty(), Is.True);
    }

    [Test]
    public async Task Should_Hold_A_Key_Back_When_It_Is_Being_Worked_On()
    {
        _queue.Add(Key);
        await TakeAsync();
        _queue.Add(Key);

        Assert.That(IsEmpty(), Is.True, "nobody else may take it now");
        _queue.Done(Key);
        Assert.That(IsEmpty(), Is.False, "but the change is not forgotten");
    }

    [Test]
    public void Should_Use_The_Earliest_When_A_Key_Is_Delayed_Several_Times()
    {
        _queue.AddAfter(Key, TimeSpan.FromSeconds(60));
        _queue.AddAfter(Key, TimeSpan.FromSeconds(5));
        _queue.AddAfter(Key, TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.That(IsEmpty(), Is.False);
    }

    [Test]
    public void Should_Wait_Twice_As_Long_When_It_Fails_Again()
    {
        _queue.Retry(Key);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.That(IsEmpty(), Is.False);

        _queue.Retry(Key);
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.That(IsEmpty(), Is.True);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(IsEmpty(), Is.False);
    }

    private async Task<ObjectKey> TakeAsync() => await _queue.TakeAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));

    private bool IsEmpty()
    {
        using var now = new CancellationTokenSource();
        var take = _queue.TakeAsync(now.Token);
        if (take.IsCompleted)
        {
            _queue.Done(take.Result);
            return false;
        }

        now.Cancel();
        return true;
    }
}

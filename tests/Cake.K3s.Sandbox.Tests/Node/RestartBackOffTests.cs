using Cake.K3s.Sandbox.Node.Pods;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class RestartBackOffTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public void Should_Not_Wait_When_It_Is_The_First_Failure() =>
        Assert.That(new RestartBackOff().Remaining("api", Start, Start), Is.EqualTo(TimeSpan.Zero));

    [Test]
    public void Should_Double_Up_To_Five_Minutes_When_Failures_Follow_Each_Other()
    {
        var backOff = new RestartBackOff();
        var pauses = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            backOff.Next("api", Start);
            pauses.Add(backOff.Pause("api").TotalSeconds);
        }

        Assert.That(pauses, Is.EqualTo(new[] { 10, 20, 40, 80, 160, 300, 300 }));
    }

    [Test]
    public void Should_Count_From_The_Failure_When_Time_Has_Passed()
    {
        var backOff = new RestartBackOff();
        backOff.Next("api", Start);

        Assert.That(backOff.Remaining("api", Start, Start.AddSeconds(4)), Is.EqualTo(TimeSpan.FromSeconds(6)));
    }

    [Test]
    public void Should_Start_Over_When_There_Was_No_Failure_For_Ten_Minutes()
    {
        var backOff = new RestartBackOff();
        backOff.Next("api", Start);
        backOff.Next("api", Start);
        var later = Start.AddMinutes(11);

        Assert.That(backOff.Remaining("api", later, later), Is.EqualTo(TimeSpan.Zero));
        backOff.Next("api", later);
        Assert.That(backOff.Pause("api"), Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [TestCase(10, "10s")]
    [TestCase(80, "1m20s")]
    [TestCase(300, "5m0s")]
    public void Should_Write_Pauses_As_Go_Does_When_They_Are_Shown(int seconds, string expected) =>
        Assert.That(RestartBackOff.Format(TimeSpan.FromSeconds(seconds)), Is.EqualTo(expected));
}

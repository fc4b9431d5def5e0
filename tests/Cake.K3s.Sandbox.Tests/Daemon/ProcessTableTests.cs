using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
internal sealed class ProcessTableTests
{
    private const string Before = " 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19";
    private const string Rest = Before + " 1 21 4711 0 0";

    [Test]
    public void Should_ReadTheStart_When_TheNameHasParenthesesAndSpaces()
    {
        Assert.That(ProcessTable.ParseStat("12 (a) b (c)) S" + Rest), Is.EqualTo((true, 4711UL)));
    }

    [TestCase('Z')]
    [TestCase('X')]
    public void Should_NotCountAsRunning_When_OnlyAnEntryIsLeft(char state)
    {
        Assert.That(ProcessTable.ParseStat($"12 (sh) {state}{Rest}").IsRunning, Is.False);
    }

    [Test]
    public void Should_CountAsRunning_When_OtherThreadsOutliveTheFirst()
    {
        Assert.That(ProcessTable.ParseStat($"12 (sh) Z{Before} 2 21 4711 0 0").IsRunning, Is.True);
    }

    [Test]
    [Platform("Linux")]
    public void Should_TellALaterProcessApart_When_TheIdIsTheSame()
    {
        var self = ProcessTable.Self;

        Assert.That(ProcessTable.IsRunning(self), Is.True);
        Assert.That(ProcessTable.IsRunning(self with { StartTicks = self.StartTicks + 1 }), Is.False);
    }
}

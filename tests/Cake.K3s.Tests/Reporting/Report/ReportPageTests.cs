using Cake.K3s.Reporting.Report;

namespace Cake.K3s.Tests.Reporting.Report;

public sealed class ReportPageTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [TestCase(26, true)]
    [TestCase(0.2, false)]
    public void Should_SayWhatPassedBeforeTheFirstTask_When_ItTookAWhile(double seconds, bool isSaid)
    {
        var run = new RunRecord
        {
            Target = "Deploy",
            StartedAt = Start,
            EndedAt = Start.AddSeconds(seconds + 5),
            ExitCode = 0,
            Tasks = [new("Lint", "Succeeded", Start.AddSeconds(seconds), 5, null, [], 0)],
        };

        Assert.That(ReportPage.Of(run).Contains(">Preparation<", StringComparison.Ordinal), Is.EqualTo(isSaid));
    }
}

using Cake.K3s.Reporting;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Reporting;

public sealed class TaskDurationsTests
{
    [Test]
    public void Should_Count_A_Task_That_Runs_Up_To_Now()
    {
        var time = new FakeTimeProvider();
        var durations = new TaskDurations(time);
        durations.Observe(new TaskStarted("Lint") { At = time.GetUtcNow() });
        durations.Observe(new TaskEnded("Lint", TaskOutcome.Succeeded, TimeSpan.FromSeconds(2), null));
        durations.Observe(new TaskStarted("Deploy") { At = time.GetUtcNow() });
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.That(durations.Seconds(), Is.EquivalentTo(new Dictionary<string, double> { ["Lint"] = 2, ["Deploy"] = 5 }));
    }
}

using Cake.K3s.Operations.Scaling;

namespace Cake.K3s.Tests.Operations.Scaling;

public sealed class ScalingFigureTests
{
    [Test]
    public void Should_say_what_to_do_above_the_limit_and_guess_nothing()
    {
        var lines = ScalingFigure.Lines(
        [
            new(ScalingTrigger.Latency, 501.4, null),
            new(ScalingTrigger.Cpu, 70, null),
            new(ScalingTrigger.Storage, null, "the bucket cannot be listed"),
        ]);

        Assert.That(lines, Is.EqualTo(new[]
        {
            "TRIGGER         VALUE    LIMIT         WHAT TO DO",
            "p99 latency     501 ms   500 ms  over  " + ScalingTrigger.Latency.Action,
            "API CPU         70 %     70 %    ok",
            "object storage  unknown  500 GB  ?     the bucket cannot be listed",
        }));
    }

    [Test]
    public void Should_have_every_trigger_of_the_roadmap() => Assert.That(
        ScalingTrigger.All.Select(trigger => (trigger.Name, trigger.Limit)),
        Is.EqualTo(new (string, double)[]
        {
            ("p99 latency", 500), ("API CPU", 70), ("database connections", 80), ("Redis memory", 80), ("object storage", 500), ("active users", 100_000), ("revenue a month", 5_000),
        }));

    [TestCase("used_memory:80|maxmemory:100", 80)]
    [TestCase("OK|# Memory|used_memory:1048576|used_memory_human:1.00M|maxmemory:4194304|maxmemory_human:4.00M", 25)]
    [TestCase("used_memory:80|maxmemory:0", null)]
    [TestCase("NOAUTH Authentication required.", null)]
    public void Should_read_Redis_memory(string lines, double? percent) => Assert.That(RedisInfo.UsedPercent(lines.Split('|')), Is.EqualTo(percent));
}

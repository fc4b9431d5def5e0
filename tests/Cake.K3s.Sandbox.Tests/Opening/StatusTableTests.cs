using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Opening;

namespace Cake.K3s.Sandbox.Tests.Opening;

[TestFixture]
internal sealed class StatusTableTests
{
    [Test]
    public void Should_LineUpColumns_When_PartsAreOfDifferentLength()
    {
        var status = new SandboxStatus(
        [
            new PartStatus("engine", null, "26.1.5", "unix:///run/docker.sock", 4711),
            new PartStatus("registry", "Connection refused", "", "http://127.0.0.1:5000", null),
        ]);

        Assert.That(StatusTable.Lines(status), Is.EqualTo(new[]
        {
            "PART      HEALTH              PID   VERSION  ADDRESS",
            "engine    ok                  4711  26.1.5   unix:///run/docker.sock",
            "registry  Connection refused  -     -        http://127.0.0.1:5000",
        }));
    }
}

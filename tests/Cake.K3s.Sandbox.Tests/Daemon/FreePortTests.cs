using System.Net;
using System.Net.Sockets;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
internal sealed class FreePortTests
{
    private TcpListener _other;
    private int _taken;

    [SetUp]
    public void TakeAPort()
    {
        _other = new TcpListener(IPAddress.Loopback, 0);
        _other.Start();
        _taken = ((IPEndPoint)_other.LocalEndpoint).Port;
    }

    [TearDown]
    public void GiveItBack() => _other.Dispose();

    [Test]
    public void Should_NameThePortAndTheSetting_When_AnotherProgramHasTheWantedOne()
    {
        Assert.That(
            () => FreePort.Choose(_taken, kept: 0, isOurs: false, "ingress"),
            Throws.InstanceOf<K3sException>().With.Message.Contains($"127.0.0.1:{_taken}").And.Message.Contains("ingressPort"));
    }

    [Test]
    public void Should_KeepAPort_When_ItsPartStillRuns()
    {
        Assert.That(FreePort.Choose(wanted: 0, kept: _taken, isOurs: true, "registry"), Is.EqualTo(_taken));
        Assert.That(FreePort.Choose(wanted: _taken, kept: _taken, isOurs: true, "registry"), Is.EqualTo(_taken));
    }

    [Test]
    public void Should_ChooseAnother_When_TheKeptOneWasTakenMeanwhile()
    {
        Assert.That(FreePort.Choose(wanted: 0, kept: _taken, isOurs: false, "registry"), Is.Not.EqualTo(_taken).And.GreaterThan(0));
    }
}

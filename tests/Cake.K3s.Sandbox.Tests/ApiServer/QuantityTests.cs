using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class QuantityTests
{
    [TestCase("0.5", "500m")]
    [TestCase("1000m", "1")]
    [TestCase("1024Mi", "1Gi")]
    [TestCase("1.5Gi", "1536Mi")]
    [TestCase("100M", "100M")]
    [TestCase("1e3", "1e3")]
    [TestCase("0", "0")]
    [TestCase("2000", "2k")]
    [TestCase("0.0005", "500u")]
    [TestCase("-1500m", "-1500m")]
    [TestCase("512", "512")]
    public void Should_be_written_the_one_way_that_the_api_keeps_When_there_are_many(string text, string canonical)
        => Assert.That(Quantities.Canonical(text), Is.EqualTo(canonical));

    [TestCase("")]
    [TestCase("Mi")]
    [TestCase("1 Gi")]
    [TestCase("1GB")]
    [TestCase("one")]
    public void Should_not_be_taken_When_it_is_none(string text) => Assert.That(Quantities.Canonical(text), Is.Null);
}

using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Tests.Hardening.Nodes;

namespace Cake.K3s.Tests.Hardening.Edge;

/// <summary>The ranges of a second CDN beside Cloudflare's.</summary>
public sealed class OtherRangesTests
{
    [Test]
    public void Should_LetTheOtherCdnIn_When_ItsRangesAreNamed()
    {
        var rules = CloudflareRules.Wanted(CloudflareRangesTests.Good.With(["203.0.113.0/24", "2001:db8::/32"])).Select(rule => rule.Source.ToString()).ToList();

        Assert.That(rules, Is.SupersetOf(CloudflareRangesTests.Good.All.Select(range => range.ToString())).And.Contains("203.0.113.0/24").And.Contains("2001:db8::/32"));
    }

    [TestCase("0.0.0.0/0")]
    [TestCase("::/0")]
    [TestCase("cdn.example.com")]
    public void Should_RefuseARange_When_ItLetsEverybodyIn(string range) => Assert.That(
        () => CloudflareRangesTests.Good.With([range]),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));
}

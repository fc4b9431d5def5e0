using Cake.K3s.Hardening.Nodes.Sshd;
using Cake.K3s.Hardening.Nodes.SshPolicy;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class SshPolicyRulesTests
{
    [Test]
    public void Should_NameOnlyWhatTheServerKnows_When_ItIsOld()
    {
        var rules = SshPolicyRules.For(kind => kind == "kex" ? ["curve25519-sha256", "diffie-hellman-group1-sha1"] : [], forwarding: true);

        Assert.That(rules, Has.Some.EqualTo(("KexAlgorithms", "curve25519-sha256")));
        Assert.That(rules.Select(rule => rule.Keyword), Has.None.EqualTo("Ciphers"), "an empty list would stop sshd");
    }

    [TestCase(true, "local")]
    [TestCase(false, "no")]
    public void Should_LetOperatorsTunnel_When_TheyDo(bool forwarding, string expected) =>
        Assert.That(SshPolicyRules.For(_ => [], forwarding), Has.Some.EqualTo(("AllowTcpForwarding", expected)));

    [TestCase("permitrootlogin without-password")]
    [TestCase("permitrootlogin prohibit-password")]
    public void Should_TakeBothWordsForKeysAlone_When_Comparing(string line) =>
        Assert.That(SshPolicyRules.Differences(SshdConfig.Parse([line]), [("PermitRootLogin", "prohibit-password")]), Is.Empty);

    [Test]
    public void Should_SayWhatIsAndWhatShouldBe_When_TheyDiffer() =>
        Assert.That(
            SshPolicyRules.Differences(SshdConfig.Parse(["passwordauthentication yes"]), [("PasswordAuthentication", "no"), ("MaxSessions", "10")]),
            Is.EqualTo(new[] { "PasswordAuthentication is yes, expected no", "MaxSessions is not set, expected 10" }));
}

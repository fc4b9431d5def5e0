using Cake.K3s.Hardening.Nodes.SecretsEncryption;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class EncryptionStatusTests
{
    [TestCase("Encryption Status: Enabled\nCurrent Rotation Stage: reencrypt_finished\nServer Encryption Hashes: All hashes match\n\nActive  Key Type  Name\n", true, "reencrypt_finished", true)]
    [TestCase("Encryption Status: Disabled\nCurrent Rotation Stage: start\nServer Encryption Hashes: hash does not match between n1 and n2\n", false, "start", false)]
    [TestCase("Encryption Status: Disabled, no configuration file found\n", false, "", false)]
    public void Should_read_how_it_stands_When_k3s_tells_its_status(string output, bool enabled, string stage, bool match) =>
        Assert.That(EncryptionStatus.Parse(output), Is.EqualTo(new EncryptionStatus(enabled, stage, match)));

    [TestCase("k3s version v1.34.6+k3s1 (a1b2c3)", true)]
    [TestCase("k3s version v1.35.0+k3s1", true)]
    [TestCase("k3s version v1.34.10+k3s2", true)]
    [TestCase("k3s version v1.34.5+k3s9", false)]
    [TestCase("k3s version v1.33.12+k3s1", false)]
    [TestCase("", false)]
    public void Should_ask_for_a_version_that_can_be_gone_on_with_When_the_cluster_runs(string version, bool expected) =>
        Assert.That(K3sVersion.CanEncryptRunning(version), Is.EqualTo(expected));
}

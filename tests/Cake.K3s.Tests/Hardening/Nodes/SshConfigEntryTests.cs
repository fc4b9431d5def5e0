using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class SshConfigEntryTests
{
    private const string Text = "User admin\n\nHost other\n    Port 22\n";

    [Test]
    public void Should_LeaveWhatIsForAllHostsForAllHosts_When_AnEntryIsAdded() =>
        Assert.That(SshConfigEntry.Set(Text, "node-1", 2222), Is.EqualTo("# Cake.K3s SshPort node-1\nHost node-1\n    Port 2222\nMatch all\n# Cake.K3s end\n" + Text));

    [Test]
    public void Should_ReplaceItsOwnEntry_When_ThePortMovesAgain() =>
        Assert.That(SshConfigEntry.Set(SshConfigEntry.Set(Text, "node-1", 2222), "node-1", 2200), Is.EqualTo(SshConfigEntry.Set(Text, "node-1", 2200)));

    [Test]
    public void Should_BringBackTheText_When_EntriesAreRemoved()
    {
        var both = SshConfigEntry.Set(SshConfigEntry.Set(Text, "node-1", 2222), "node-10", 2222);

        Assert.That(SshConfigEntry.Remove(SshConfigEntry.Remove(both, "node-1"), "node-10"), Is.EqualTo(Text));
        Assert.That(SshConfigEntry.Remove(Text, "node-1"), Is.EqualTo(Text));
    }

    [TestCase("environments:\n  p:\n    nodes:\n      - {name: a, port: 22, host: h} # 22\n", "environments:\n  p:\n    nodes:\n      - {name: a, port: 2222, host: h} # 22\n")]
    [TestCase("environments:\n  p:\n    nodes:\n      - name: a\n        host: h\n", "environments:\n  p:\n    nodes:\n      - name: a\n        host: h\n")]
    [TestCase("environments: {q: {nodes: [{name: a, port: 22}]}}", "environments: {q: {nodes: [{name: a, port: 22}]}}")]
    [TestCase("", "")]
    public void Should_ChangeThatPortAlone_When_TheInventoryHasOne(string text, string expected) =>
        Assert.That(InventoryPort.Set(text, "deploy.yaml", "p", "a", 2222), Is.EqualTo(expected));

    [Test]
    public void Should_SayWhere_When_TheInventoryContainsItself() =>
        Assert.That(() => InventoryPort.Set("environments: &e\n  p: *e\n", "deploy.yaml", "p", "a", 2222), Throws.InstanceOf<SettingsException>().With.Message.Contains("deploy.yaml:2"));
}

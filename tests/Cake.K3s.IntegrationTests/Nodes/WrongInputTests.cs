using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.Fail2Ban;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.Hardening.Nodes.UnattendedUpgrades;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;
using NUnit.Framework.Constraints;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>One clear error each, and nothing half done.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class WrongInputTests
{
    private BedNode _machine;
    private string _before;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _machine = await SharedBed.Bed.AddNodeAsync();
        _before = await _machine.StateOfAsync("/etc");
    }

    [TearDown]
    public async Task NothingHalfDone() =>
        Assert.That(await _machine.StateOfAsync("/etc"), Is.EqualTo(_before));

    [Test]
    public async Task Should_tell_of_one_node_and_read_the_others_When_it_cannot_be_reached()
    {
        var missing = new NodeSettings { Name = "gone", Host = "127.0.0.1", Port = 1, User = "root" };
        using var both = new Operator([_machine], more: [missing]);
        var findings = await Policy(both).AuditAsync(default);

        Assert.That(findings.Select(finding => finding.State), Is.EqualTo(new[] { ControlState.Missing, ControlState.Unknown }));
        Assert.That(findings[1].Summary, Does.Contain("node gone (127.0.0.1 port 1) cannot be reached").And.Contain("refused"));
        Assert.That(() => both.Fleet.Nodes[1].RunAsync("log in", "true", default), Throws.TypeOf<NodeException>().With.Property("NextStep").Contains("ssh 127.0.0.1 -p 1"));
    }

    [Test]
    public async Task Should_stop_or_go_on_as_the_control_requires_When_one_of_two_nodes_cannot_be_reached()
    {
        var gone = new NodeSettings { Name = "gone", Host = "127.0.0.1", Port = 1, User = "root" };
        var there = new NodeSettings { Name = "there", Host = _machine.Address, User = "root" };
        using (var someone = new Operator([], more: [gone, there]))
        {
            Assert.That(() => Policy(someone).ApplyAsync(default), Throws.TypeOf<NodeException>().With.Message.Contains("node gone"));
            Assert.That(await _machine.StateOfAsync("/etc"), Is.EqualTo(_before), "what can lock somebody out goes on to no other node");
        }

        using var next = new Operator([], more: [gone, there]);
        var upgrades = next.Use((run, fleet) => new UnattendedUpgradesControl(run, fleet));
        Assert.That(() => upgrades.ApplyAsync(default), Throws.TypeOf<NodeException>().With.Message.Contains("node gone"));
        Assert.That((await upgrades.AuditAsync(default)).Select(finding => finding.State), Is.EqualTo(new[] { ControlState.Unknown, ControlState.InPlace }));
        Assert.That(() => upgrades.UndoAsync(default), Throws.TypeOf<NodeException>().With.Message.Contains("node gone"));
    }

    [Test]
    public void Should_send_nothing_When_the_host_key_is_another()
    {
        using var someone = new Operator([_machine]);
        File.WriteAllText(someone.KnownHosts, $"{_machine.Address} {File.ReadAllText(SharedBed.Bed.PrivateKeyFile + ".pub")}");

        Assert.That(
            () => Policy(someone).ApplyAsync(default),
            Told("shows another host key than the one that is pinned; nothing was sent to it", next: "ssh-keygen -R"));
    }

    [Test]
    public void Should_say_how_When_the_user_may_not_become_root()
    {
        using var someone = new Operator([_machine], user: "guest");

        Assert.That(() => Policy(someone).ApplyAsync(default), Told("the user may not become root without a password", next: "NOPASSWD"));
    }

    [Test]
    public async Task Should_change_nothing_When_the_system_is_another()
    {
        await _machine.RunAsync("cp -a /usr/lib/os-release /usr/lib/os-release.kept; printf 'ID=fedora\\nPRETTY_NAME=\"Fedora 43\"\\n' >/usr/lib/os-release");
        using var someone = new Operator([_machine]);
        try
        {
            Assert.That((await Policy(someone).AuditAsync(default))[0].Summary, Is.EqualTo("Fedora 43 is not supported: Debian and Ubuntu are"));
            Assert.That(() => Policy(someone).ApplyAsync(default), Told("runs Fedora 43, and only Debian and Ubuntu are supported", next: "--nodes"));
        }
        finally
        {
            await _machine.RunAsync("mv /usr/lib/os-release.kept /usr/lib/os-release");
        }
    }

    [Test]
    public async Task Should_name_the_program_When_the_port_is_in_use()
    {
        await _machine.ListenAsync(2222);
        using var someone = new Operator([_machine], new HardeningSettings { SshPort = 2222 });

        Assert.That(
            () => someone.Use((run, fleet) => new SshPortControl(run, fleet, someone.Files)).ApplyAsync(default),
            Told("SSH cannot move to port 2222, which python3 has", next: "free port"));
    }

    [Test]
    public async Task Should_change_nothing_When_etc_is_read_only()
    {
        await _machine.RunAsync("mount --bind /etc /etc; mount -o remount,bind,ro /etc");
        using var someone = new Operator([_machine]);
        try
        {
            Assert.That(() => Policy(someone).ApplyAsync(default), Told("SshPolicy: tell sshd to take keys alone, in /etc/ssh/sshd_config.d/00-cake-k3s-policy.conf failed and nothing was changed: ", why: "Read-only file system"));
        }
        finally
        {
            await _machine.RunAsync("umount /etc");
        }
    }

    [Test]
    public async Task Should_change_nothing_When_the_disk_is_full()
    {
        using var someone = new Operator([_machine]);
        await _machine.RunAsync("cat /dev/zero >/var/full 2>/dev/null || true");
        try
        {
            Assert.That(() => Policy(someone).ApplyAsync(default), Told("SshPolicy: tell sshd to take keys alone, in /etc/ssh/sshd_config.d/00-cake-k3s-policy.conf failed and nothing was changed: ", why: "No space left on device"));
        }
        finally
        {
            await _machine.RunAsync("rm /var/full");
        }
    }

    [Test]
    public async Task Should_take_all_back_When_another_program_holds_dpkg()
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        await machine.RunAsync("rm /usr/bin/fail2ban-server; systemd-run --quiet python3 -c 'import fcntl, time; f = open(\"/var/lib/dpkg/lock-frontend\", \"w\"); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(300)'");
        var before = await machine.StateOfAsync("/etc");
        using var someone = new Operator([machine]);

        Assert.That(
            () => someone.Use((run, fleet) => new Fail2BanControl(run, fleet) { LockWait = TimeSpan.FromSeconds(1) }).ApplyAsync(default),
            Told("install fail2ban, write the jail for SSH to /etc/fail2ban/jail.d/zz-cake-k3s.local, start fail2ban failed and it was taken back: ", why: "lock", on: machine));
        Assert.That(await machine.StateOfAsync("/etc"), Is.EqualTo(before));
    }

    // What failed, on what, why, and what to do.
    private Constraint Told(string what, string why = "", string next = "Run it again when that is mended", BedNode? on = null) =>
        Throws.TypeOf<NodeException>()
            .With.Property(nameof(K3sException.Summary)).Contains($"node {(on ?? _machine).Name}")
            .And.Property(nameof(K3sException.Summary)).Contains(what)
            .And.Property(nameof(K3sException.Summary)).Contains(why)
            .And.Property(nameof(K3sException.NextStep)).Contains(next);

    private static SshPolicyControl Policy(Operator someone) => someone.Use((run, fleet) => new SshPolicyControl(run, fleet));
}

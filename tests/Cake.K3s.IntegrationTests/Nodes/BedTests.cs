using System.Diagnostics;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.NodeBed;
using Cake.K3s.Processes;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>What the tests of controls rely on.</summary>
public sealed class BedTests
{
    private BedNode _first;
    private BedNode _second;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var nodes = await SharedBed.Bed.AddNodesAsync(2);
        (_first, _second) = (nodes[0], nodes[1]);
        await _second.ListenAsync(6443);
    }

    [Test]
    public async Task Should_answer_each_by_its_own_rules_When_a_firewall_is_on()
    {
        await _first.ListenAsync(80);
        await _first.RunAsync($"ufw allow from {SharedBed.Bed.OperatorAddress}; ufw allow from 173.245.48.7; ufw allow from 2400:cb00::7; ufw --force enable");
        var outside = SharedBed.Bed.Outside;

        Assert.Multiple(() =>
        {
            Assert.That(async () => await outside.ConnectAsync("173.245.48.7", _first.Address, 80), Is.EqualTo(Answer.Open));
            Assert.That(async () => await outside.ConnectAsync("2400:cb00::7", _first.Address6, 80), Is.EqualTo(Answer.Open));
            Assert.That(async () => await outside.ConnectAsync(Outside.Address, _first.Address, 80), Is.EqualTo(Answer.Silent));
            Assert.That(async () => await outside.ConnectAsync(Outside.Address6, _first.Address6, 80), Is.EqualTo(Answer.Silent));
            Assert.That(async () => await outside.ConnectAsync("173.245.48.7", _first.Address, 81), Is.EqualTo(Answer.Refused));
            Assert.That(async () => await _first.ConnectAsync(_second.Address, 6443), Is.EqualTo(Answer.Open));
            Assert.That(async () => await _second.ConnectAsync(_first.Address, 80), Is.EqualTo(Answer.Silent));
        });
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Should_keep_its_disk_and_nothing_else_When_a_node_reboots(bool withoutPower)
    {
        var node = await SharedBed.Bed.AddNodeAsync();
        await node.RunAsync("echo kept > /etc/kept; touch /run/lost");
        await (withoutPower ? node.PowerCycleAsync() : node.RebootAsync());

        Assert.That(await node.RunAsync("cat /etc/kept; ls /run/lost 2>&1 || true; hostname"), Is.EqualTo($"kept\nls: cannot access '/run/lost': No such file or directory\n{node.Name}"));
        Assert.That(await node.ConnectAsync(_second.Address, 6443), Is.EqualTo(Answer.Open));
    }

    [Test]
    public async Task Should_not_be_reached_When_a_node_is_cut_off()
    {
        var node = await SharedBed.Bed.AddNodeAsync();
        await node.CutAsync();
        Assert.That(await SharedBed.Bed.Outside.ConnectAsync(Outside.Address, node.Address, 22), Is.EqualTo(Answer.Silent));

        await node.JoinAsync();
        Assert.That(await SharedBed.Bed.Outside.ConnectAsync(Outside.Address, node.Address, 22), Is.EqualTo(Answer.Open));
    }

    [Test]
    public async Task Should_leave_nothing_behind_When_the_process_that_owns_it_is_killed()
    {
        using var owner = Process.Start("sleep", "600");
        var bed = await Bed.StartAsync(TestSandbox.RepositoryRoot, owner: owner.Id);
        await bed.AddNodesAsync(2);
        owner.Kill();
        await TestSandbox.UntilAsync(() => !Directory.Exists(bed.Directory), TimeSpan.FromMinutes(1));

        var left = await new CommandRunner(new SecretMask(), TimeProvider.System).RunAsync(
            new Command("sh", "-c", $"find /sys/fs/cgroup -name '{Path.GetFileName(bed.Directory)}*'; grep -l {bed.Directory} /proc/[0-9]*/environ /proc/[0-9]*/mounts 2>/dev/null || true"),
            CancellationToken.None);
        Assert.That(left.StandardOutput.Split('\n').Where(line => !line.Contains("/self/")), Is.EqualTo(new[] { "" }));
        Assert.That(bed.Directory, Does.Not.Exist);
    }
}

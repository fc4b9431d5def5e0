using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Changes that take place whole or not at all.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class NodeTransactionTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private BedNode _machine;

    [OneTimeSetUp]
    public async Task StartAsync() => _machine = await SharedBed.Bed.AddNodeAsync();

    [Test]
    public async Task Should_keep_the_change_and_disarm_When_a_new_login_works()
    {
        using var someone = new Operator([_machine]);
        await new NodeTransaction(someone.Fleet.Nodes[0], TimeSpan.FromMinutes(1)).ApplyAsync(Change("/etc/kept/file", "kept\n"), None);

        Assert.That(await _machine.RunAsync("cat /etc/kept/file; ls -d /var/lib/cake-k3s/armed /etc/systemd/system/cake-k3s* 2>/dev/null; systemctl list-units --all --plain --no-legend 'cake-k3s*'", 2), Is.EqualTo("kept"));
    }

    [Test]
    public async Task Should_leave_nothing_changed_When_the_change_fails_in_the_middle()
    {
        using var someone = new Operator([_machine]);
        await _machine.RunAsync("mkdir -p /etc/half; echo before >/etc/half/old; chmod 640 /etc/half/old");
        var before = await _machine.StateOfAsync("/etc");
        var change = Change("/etc/half/deep/new", "new\n") with { Touches = ["/etc/half/old"], Apply = "echo after >/etc/half/old; echo broken >&2; false" };

        Assert.That(
            () => new NodeTransaction(someone.Fleet.Nodes[0], TimeSpan.FromMinutes(1)).ApplyAsync(change, None),
            Throws.TypeOf<NodeException>().With.Message.Contains("was taken back: broken"));
        Assert.That(await _machine.StateOfAsync("/etc"), Is.EqualTo(before));
    }

    [Test]
    public async Task Should_take_the_change_back_by_itself_When_nobody_proves_it()
    {
        using var someone = new Operator([_machine]);
        var node = someone.Fleet.Nodes[0];
        await _machine.RunAsync("echo before >/etc/unproved");
        await node.RunAsync("arm", ChangeScripts.Apply(Change("/etc/unproved", "after\n") with { Restore = "echo yes >/run/restored" }, "id1", TimeSpan.FromSeconds(1)), None);

        await _machine.RunAsync("until grep -q before /etc/unproved && [ -e /run/restored ] && [ ! -e /var/lib/cake-k3s/armed ]; do sleep 0.05; done");
        Assert.That(async () => (await node.TryRunAsync(ChangeScripts.Confirm(Change("/etc/unproved", ""), "id1"), None)).Output, Does.Contain(ChangeScripts.TooLate));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Should_take_the_change_back_When_the_node_goes_down_before_the_proof(bool withoutPower)
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        using var someone = new Operator([machine]);
        var before = await machine.StateOfAsync("/etc/ssh", "/etc/systemd");
        await someone.Fleet.Nodes[0].RunAsync("arm", ChangeScripts.Apply(Change("/etc/ssh/sshd_config.d/x.conf", "Port 2222\n"), "id2", TimeSpan.FromHours(1)), None);

        await (withoutPower ? machine.PowerCycleAsync() : machine.RebootAsync());

        Assert.That(await machine.RunAsync("ls /var/lib/cake-k3s; ss -Hltn 'sport = :2222'"), Is.EqualTo("lock"));
        Assert.That(await machine.StateOfAsync("/etc/ssh", "/etc/systemd"), Is.EqualTo(before));
        await someone.Fleet.Nodes[0].ProveLoginAsync(null, None);
    }

    [Test]
    public async Task Should_take_back_what_was_cut_off_first_When_another_change_follows()
    {
        using var someone = new Operator([_machine]);
        var node = someone.Fleet.Nodes[0];
        await node.RunAsync("arm", ChangeScripts.Apply(Change("/etc/cut-off", "1\n"), "id3", TimeSpan.FromHours(1)), None);
        Assert.That((await node.FactsAsync(None)).Unfinished, Is.EqualTo("Test"));

        await new NodeTransaction(node, TimeSpan.FromMinutes(1)).ApplyAsync(Change("/etc/next", "2\n"), None);

        Assert.That(await _machine.RunAsync("ls /etc/cut-off /etc/next 2>/dev/null", 2), Is.EqualTo("/etc/next"));
        Assert.That((await node.FactsAsync(None)).Unfinished, Is.Null);
    }

    [Test]
    public async Task Should_take_the_change_back_When_the_proof_fails()
    {
        using var someone = new Operator([_machine]);
        var change = Change("/etc/disproved", "1\n") with { Proof = (_, _) => throw new K3sException(ExitCodes.Failed, "no answer") };

        Assert.That(
            () => new NodeTransaction(someone.Fleet.Nodes[0], TimeSpan.FromMinutes(1)).ApplyAsync(change, None),
            Throws.TypeOf<NodeException>().With.Message.Contains("was taken back").And.Message.Contains("no answer"));
        Assert.That(await _machine.RunAsync("ls /etc/disproved /var/lib/cake-k3s/armed 2>/dev/null", 2), Is.Empty);
    }

    [Test]
    public async Task Should_run_the_inverse_of_each_change_the_last_one_first_When_another_hand_changed_the_file_since()
    {
        using var someone = new Operator([_machine]);
        var node = someone.Fleet.Nodes[0];
        await _machine.RunAsync("echo before >/etc/shared");
        foreach (var number in new[] { 1, 2 })
        {
            await new NodeTransaction(node, TimeSpan.FromMinutes(1)).ApplyAsync(Change("/etc/shared", $"{number}\n") with { Control = "Shared", Inverse = $"cat >>/etc/shared <<'@@LINE'\nwithout {number}\n@@LINE" }, None);
        }

        await _machine.RunAsync("echo another hand >/etc/shared");
        await node.RunAsync("restore", "set -e\n" + ChangeScripts.RestoreOriginal("Shared"), None);

        Assert.That(await _machine.RunAsync("cat /etc/shared"), Is.EqualTo("another hand\nwithout 2\nwithout 1"));
    }

    private static NodeChange Change(string path, string content) => new("Test", "test") { Files = [new NodeFile(path, content)] };
}

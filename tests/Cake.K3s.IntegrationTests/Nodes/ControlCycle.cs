using Cake.K3s.Hardening;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>What must hold for every control: each step is a run of its own, which knows nothing of the one before it.</summary>
/// <param name="nodes">The cluster's nodes.</param>
/// <param name="hardening">What the control aims at.</param>
/// <param name="make">Makes the control.</param>
/// <param name="directories">What undoing it must bring back byte for byte on the first node.</param>
internal sealed class ControlCycle(BedNode[] nodes, HardeningSettings hardening, Func<Operator, IControl> make, params string[] directories)
{
    /// <summary>The environment's backups.</summary>
    public BackupSettings? Backup { get; init; }

    private const string Kept = "ls -A /var/lib/cake-k3s 2>/dev/null | grep -vx lock || true; systemctl list-timers --all | grep cake-k3s || true";

    /// <summary>Audits, applies, proves, applies again, audits, undoes and audits.</summary>
    /// <param name="effect">Looks for the effect from outside while it is applied.</param>
    public async Task RunAsync(Func<Task> effect)
    {
        var node = nodes[0];
        var before = await node.StateOfAsync(directories);
        var kept = await node.RunAsync(Kept);
        Assert.That(await AuditAsync(), Is.EqualTo(ControlState.Missing), "before");

        using (var someone = new Operator(nodes, hardening, backup: Backup))
        {
            var control = make(someone);
            Assert.That(await control.PlanAsync(default), Is.Not.Empty, "the plan");
            Assert.That(await node.StateOfAsync(directories), Is.EqualTo(before), "planning changes nothing");
        }

        using (var someone = new Operator(nodes, hardening, backup: Backup))
        {
            var control = make(someone);
            Assert.That(await control.ApplyAsync(default), Is.Not.Empty, "the first time");
            var proved = await control.VerifyAsync(default);
            Assert.That(proved.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), string.Join('\n', proved));
        }

        await effect();
        Assert.That(await AuditAsync(), Is.EqualTo(ControlState.InPlace), "after");

        var applied = await node.StateOfAsync(directories);
        using (var someone = new Operator(nodes, hardening, backup: Backup))
        {
            var control = make(someone);
            Assert.That(await control.ApplyAsync(default), Is.Empty, "the second time");
            Assert.That(await node.StateOfAsync(directories), Is.EqualTo(applied), "the second time changes nothing");
        }

        using (var someone = new Operator(nodes, hardening, backup: Backup))
        {
            var control = make(someone);
            Assert.That(await control.UndoAsync(default), Is.Not.Empty, "the undo");
        }

        Assert.That(await node.StateOfAsync(directories), Is.EqualTo(before), "undone");
        Assert.That(await AuditAsync(), Is.EqualTo(ControlState.Missing), "audited after the undo");
        Assert.That(await node.RunAsync(Kept), Is.EqualTo(kept), "left on the node");
    }

    private async Task<ControlState> AuditAsync()
    {
        using var someone = new Operator(nodes, hardening, backup: Backup);
        var own = (await make(someone).AuditAsync(default))[0];
        TestContext.Out.WriteLine(own.Summary);
        return own.State;
    }
}

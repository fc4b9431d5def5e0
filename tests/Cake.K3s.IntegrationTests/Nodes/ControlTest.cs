using Cake.K3s.Hardening;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>What every control of a node shows on a real one.</summary>
public abstract class ControlTest
{
    /// <summary>The control under test.</summary>
    private protected abstract IControl Make(Operator someone);

    /// <summary>The directories that an undo must leave as they were before.</summary>
    private protected abstract string[] Directories { get; }

    /// <summary>What the control aims at.</summary>
    private protected virtual HardeningSettings Hardening => new();

    /// <summary>Makes the machine what it is before the control is applied.</summary>
    private protected virtual Task PrepareAsync(BedNode machine) => Task.CompletedTask;

    /// <summary>Looks at what else must be so while it is applied.</summary>
    private protected virtual Task LookAsync(BedNode machine, Operator someone) => Task.CompletedTask;

    /// <summary>Who logs in; deploy becomes root by sudo.</summary>
    private protected virtual string User => "root";

    [Test]
    public async Task Should_be_missing_then_applied_proved_and_undone_byte_for_byte()
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        await PrepareAsync(machine);
        using var someone = new Operator([machine], Hardening, User);
        var control = Make(someone);
        var before = await machine.StateOfAsync(Directories);

        Assert.That((await control.AuditAsync(default))[0].State, Is.EqualTo(ControlState.Missing));
        Assert.That(await control.PlanAsync(default), Is.Not.Empty);
        Assert.That(await machine.StateOfAsync(Directories), Is.EqualTo(before), "Audit and Plan change nothing");

        Assert.That(await control.ApplyAsync(default), Is.Not.Empty);
        Assert.That((await control.VerifyAsync(default)).Select(finding => (finding.State, finding.Summary)), Has.All.Matches<(ControlState State, string)>(found => found.State == ControlState.InPlace));
        Assert.That((await control.AuditAsync(default))[0].State, Is.EqualTo(ControlState.InPlace));

        await LookAsync(machine, someone);

        var applied = await machine.StateOfAsync(Directories);
        Assert.That(await control.ApplyAsync(default), Is.Empty);
        Assert.That(await machine.StateOfAsync(Directories), Is.EqualTo(applied), "a second Apply changes nothing");

        Assert.That(await control.UndoAsync(default), Is.Not.Empty);
        Assert.That(await machine.StateOfAsync(Directories), Is.EqualTo(before));
        Assert.That((await control.AuditAsync(default))[0].State, Is.EqualTo(ControlState.Missing));
        Assert.That(await control.UndoAsync(default), Is.Empty);
    }
}

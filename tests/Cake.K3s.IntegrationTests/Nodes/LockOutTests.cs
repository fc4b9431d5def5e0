using System.Diagnostics;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>
/// A run that is cut off at any of its commands: the node is reachable again after at most the undo time, without anybody's help, and
/// the next run finishes.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class LockOutTests
{
    private static readonly Duration UndoAfter = Seconds(4);

    public enum Fault
    {
        HostKilled,
        ConnectionCut,
        Reboot,
        PowerLost,
    }

    /// <summary>Amid every command, each control and each fault once: all of them are for <see cref="Should_not_lock_out_When_cut_off_at_any_moment"/>.</summary>
    [TestCase("SshPort", Fault.ConnectionCut)]
    [TestCase("SshPolicy", Fault.HostKilled)]
    [TestCase("FirewallBaseline", Fault.Reboot)]
    [TestCase("CloudflareOnly", Fault.PowerLost)]
    public Task Should_not_lock_out_When_cut_off_at_any_command(string control, Fault fault) => CutOffEverywhereAsync(control, fault, [false]);

    [Test]
    [Explicit("takes minutes; run after a change of how changes are made")]
    public Task Should_not_lock_out_When_cut_off_at_any_moment(
        [Values("SshPort", "SshPolicy", "FirewallBaseline", "CloudflareOnly")] string control,
        [Values] Fault fault) =>
        CutOffEverywhereAsync(control, fault, [false, true]);

    private static async Task CutOffEverywhereAsync(string name, Fault fault, bool[] moments)
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        if (name == "CloudflareOnly")
        {
            await machine.RunAsync("ufw allow 22; ufw allow 80,443/tcp; ufw --force enable");
        }

        var before = await machine.StateOfAsync("/etc");
        var runs = 0;
        foreach (var whenDone in moments)
        {
            for (var command = 1; await CutOffAsync(machine, name, fault, command, whenDone, name == "CloudflareOnly" ? Seconds(20) : UndoAfter); command++)
            {
                runs++;
                Assert.That(await machine.StateOfAsync("/etc"), Is.EqualTo(before), $"undone after {fault} at command {command}");
            }
        }

        TestContext.Progress.WriteLine($"{name}, {fault}: {runs} runs cut off, 0 nodes locked out");
        Assert.That(runs, Is.GreaterThanOrEqualTo(3));
    }

    private static async Task<bool> CutOffAsync(BedNode machine, string name, Fault fault, int command, bool whenDone, Duration undoAfter)
    {
        CutOffRunner? cut = null;
        using (var someone = new Operator([machine], Hardening(undoAfter), runner: real => cut = new CutOffRunner(real, command, whenDone, () => StrikeAsync(machine, fault))))
        {
            try
            {
                await Make(name, someone).ApplyAsync(default);
            }
            catch (KilledException)
            {
                // As it must be.
            }
            catch (NodeException slow) when (!cut!.HasStruck && slow.Message.Contains("was taken back by the node", StringComparison.Ordinal))
            {
                // A busy machine: its proof came after the undo.
                return await CutOffAsync(machine, name, fault, command, whenDone, new Duration(undoAfter.Value * 4));
            }
        }

        if (cut!.HasStruck)
        {
            if (fault == Fault.ConnectionCut)
            {
                await machine.RunAsync("while [ -e /var/lib/cake-k3s/armed ]; do sleep 0.1; done");
                await machine.JoinAsync();
            }

            await ReachAsync(machine, undoAfter.Value, $"{name}, {fault} at command {command}");
        }

        using var next = new Operator([machine], Hardening(Seconds(60)));
        var control = Make(name, next);
        await control.ApplyAsync(default);
        var proved = await control.VerifyAsync(default);
        Assert.That(proved.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), string.Join('\n', proved));
        await control.UndoAsync(default);
        return cut.HasStruck;
    }

    internal static Task StrikeAsync(BedNode machine, Fault fault) => fault switch
    {
        Fault.ConnectionCut => machine.CutAsync(),
        Fault.Reboot => machine.RebootAsync(),
        Fault.PowerLost => machine.PowerCycleAsync(),
        _ => Task.CompletedTask,
    };

    // Somebody else logs in, at the old port or the new one, and changes nothing.
    private static async Task ReachAsync(BedNode machine, TimeSpan undoAfter, string when)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            using var other = new Operator([machine], Hardening(UndoAfter));
            try
            {
                await other.Fleet.Nodes[0].RunAsync("log in", "true", default);
                return;
            }
            catch (NodeException failure)
            {
                Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(undoAfter + TimeSpan.FromSeconds(30)), $"{when}: {failure.Message}");
            }
        }
    }

    private static IControl Make(string name, Operator someone) => name switch
    {
        "SshPort" => someone.Use((run, fleet) => new SshPortControl(run, fleet, someone.Files)),
        "SshPolicy" => someone.Use((run, fleet) => new SshPolicyControl(run, fleet)),
        "FirewallBaseline" => someone.Use((run, fleet) => new FirewallBaselineControl(run, fleet)),
        _ => someone.Use((run, fleet) => new CloudflareOnlyControl(run, fleet, CloudflareStandIn.Source(run.Options.Root))),
    };

    private static HardeningSettings Hardening(Duration undoAfter) => new() { SshPort = 2222, UndoAfter = undoAfter, Operators = [SharedBed.Bed.OperatorAddress] };

    private static Duration Seconds(int seconds) => new(TimeSpan.FromSeconds(seconds));
}

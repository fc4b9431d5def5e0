using Cake.K3s.Hardening;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tests.Edge;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>
/// Plays a fault at every change that a control makes, one after the other: its process is killed when the API has carried the change out, or
/// this change and all after it are answered with 500. A kill before a change leaves what one after the change before it leaves.
/// </summary>
internal static class Interruption
{
    /// <summary>After each fault, applying again must put all in place and then find nothing to do, and undoing must bring back what was before.</summary>
    /// <param name="host">The API.</param>
    /// <param name="make">Makes the control for a connection.</param>
    /// <param name="state">What a person sees of all that the control may touch.</param>
    public static async Task EachChangeAsync(ApiHost host, Func<ClusterApi, IControl> make, Func<Task<string>> state)
    {
        using var whole = host.Open();
        var connections = new List<ClusterApi>();
        try
        {
            await EachChangeAsync(faults => make(faults is null ? whole : Open(faults)), state);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        ClusterApi Open(Faults faults)
        {
            connections.Add(host.Open(faults));
            return connections[^1];
        }
    }

    /// <summary>The same for a control that changes more than one API.</summary>
    /// <param name="make">Makes the control for a process.</param>
    /// <param name="state">What a person sees of all that the control may touch.</param>
    public static async Task EachChangeAsync(Func<Faults?, IControl> make, Func<Task<string>> state)
    {
        var before = await state();
        foreach (var kind in (FaultKind[])[FaultKind.KilledAfter, FaultKind.Fails])
        {
            var change = 1;
            for (; await IsStruckAsync(new(change, kind), control => control.ApplyAsync(default)); change++)
            {
                var what = $"{kind} at change {change} of applying";
                await make(null).ApplyAsync(default);
                Assert.That((await make(null).AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty, what);
                Assert.That(await make(null).ApplyAsync(default), Is.Empty, what);
                await make(null).UndoAsync(default);
                Assert.That(await state(), Is.EqualTo(before), what);
            }

            Assert.That(change, Is.GreaterThan(1), "it changes nothing");
            for (change = 1; await IsStruckAsync(new(change, kind), control => control.UndoAsync(default)); change++)
            {
                await make(null).UndoAsync(default);
                Assert.That(await state(), Is.EqualTo(before), $"{kind} at change {change} of undoing");
                await make(null).ApplyAsync(default);
            }

            Assert.That(await state(), Is.EqualTo(before), "undone without a fault");
        }

        async Task<bool> IsStruckAsync(Faults faults, Func<IControl, Task> work)
        {
            try
            {
                await work(make(faults));
                Assert.That(faults.Struck, Is.False, "a change that was not made is no success");
            }
            catch (Exception struck) when (struck is KilledException or K3sException && faults.Struck)
            {
                // As meant.
            }

            return faults.Struck;
        }
    }
}

using Cake.K3s.Hardening;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>Kills a control's process at every change that it makes in turn, before and after the API has carried the change out.</summary>
internal static class Interruption
{
    /// <summary>After each kill, applying again must put all in place, and undoing must bring back what was before.</summary>
    /// <param name="host">The API.</param>
    /// <param name="make">Makes the control for a connection.</param>
    /// <param name="state">What a person sees of all that the control may touch.</param>
    public static async Task EachChangeAsync(ApiHost host, Func<ClusterApi, IControl> make, Func<Task<string>> state)
    {
        using var api = host.Open();
        var before = await state();
        foreach (var carriedOut in (bool[])[false, true])
        {
            for (var write = 1; await IsKilledAsync(host, write, carriedOut, cut => make(cut).ApplyAsync(default)); write++)
            {
                await make(api).ApplyAsync(default);
                Assert.That((await make(api).AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty, $"killed at change {write} of applying");
                Assert.That(await make(api).ApplyAsync(default), Is.Empty, $"applied again after change {write}");
                await make(api).UndoAsync(default);
                Assert.That(await state(), Is.EqualTo(before), $"killed at change {write} of applying");
            }

            for (var write = 1; await IsUndoKilledAsync(write, carriedOut); write++)
            {
                await make(api).UndoAsync(default);
                Assert.That(await state(), Is.EqualTo(before), $"killed at change {write} of undoing");
            }
        }

        async Task<bool> IsUndoKilledAsync(int write, bool carriedOut)
        {
            await make(api).ApplyAsync(default);
            return await IsKilledAsync(host, write, carriedOut, cut => make(cut).UndoAsync(default));
        }
    }

    private static async Task<bool> IsKilledAsync(ApiHost host, int write, bool carriedOut, Func<ClusterApi, Task> work)
    {
        var connection = new CutConnection(write, carriedOut);
        using var api = new ClusterApi(connection, host.Address, "shop");
        try
        {
            await work(api);
        }
        catch (ProcessKilledException)
        {
            // As meant.
        }

        return connection.IsCut;
    }
}

using Cake.K3s.Sandbox.Node.Engine;

namespace Cake.K3s.Sandbox.Node;

/// <summary>What the engine's machine has to give.</summary>
internal sealed class NodeCapacity(ContainerEngine engine)
{
    /// <summary>As a K3s node without reservations.</summary>
    public const int Pods = 110;

    private volatile Dictionary<string, decimal>? _known;

    /// <summary>cpu in cores, memory in bytes.</summary>
    public async Task<IReadOnlyDictionary<string, decimal>> ReadAsync(CancellationToken cancellationToken)
    {
        if (_known is { } known)
        {
            return known;
        }

        var info = await engine.InfoAsync(cancellationToken);
        return _known = new() { ["cpu"] = info.NCPU, ["memory"] = info.MemTotal };
    }
}

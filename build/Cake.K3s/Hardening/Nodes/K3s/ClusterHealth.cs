using System.Globalization;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.K3s;

/// <summary>
/// Whether the cluster can do without a node, asked before one is changed, and whether the node is back, waited for after. A cluster of
/// three servers loses etcd's quorum, and with it the API, when a second one goes away. Nodes without K3s are not asked.
/// </summary>
internal sealed class ClusterHealth(NodeFleet fleet)
{
    private IReadOnlyList<Node>? _servers;

    /// <summary>All servers that can be reached over SSH, whatever <c>--nodes</c> names; one that cannot is judged by the API.</summary>
    public async Task<IReadOnlyList<Node>> ServersAsync(CancellationToken cancellationToken) => _servers ??= await FindServersAsync(cancellationToken);

    /// <summary>Refuses to take a node away where another one is not Ready, or another server's etcd is not.</summary>
    /// <exception cref="NodeException">The cluster cannot do without it now; nothing was changed.</exception>
    public async Task RequireWithoutAsync(Node node, CancellationToken cancellationToken)
    {
        if ((await node.FactsAsync(cancellationToken)).K3s == K3sRole.None)
        {
            return;
        }

        var others = (await ServersAsync(cancellationToken)).Where(server => server != node);
        var objections = await Task.WhenAll(others.Select(async server =>
            ClusterReading.Parse((await server.TryRunAsync($"{ClusterReading.Script}\nexit 0", cancellationToken)).Output).Objection(server.Name, node.Name)));
        if (objections.OfType<string>().FirstOrDefault() is { } objection)
        {
            throw new NodeException(
                node.Name,
                $"node {node.Name} is not touched, because the cluster cannot do without it now: {objection}",
                "Bring the others back first, or delete a node that is gone for good (kubectl delete node); then run it again.");
        }
    }

    /// <summary>Waits until etcd is ready on a node, its kubelet has reported since K3s was started, and all nodes are Ready.</summary>
    /// <exception cref="NodeException">They are not within the limit.</exception>
    public async Task UntilWholeAsync(Node node, TimeSpan limit, CancellationToken cancellationToken)
    {
        var role = (await node.FactsAsync(cancellationToken)).K3s;
        var asked = role == K3sRole.Server ? node : role == K3sRole.None ? null : (await ServersAsync(cancellationToken)).FirstOrDefault();
        if (asked is null)
        {
            return;
        }

        var waited = await asked.TryRunAsync($"(\n{Wait(node.Name, limit)}\n) || exit 1", cancellationToken);
        if (waited.ExitCode != 0)
        {
            throw asked.Failure($"the cluster is not whole within {limit.TotalSeconds:0} s of a change of {node.Name}", waited, "Look at kubectl get nodes, and at journalctl -u k3s there.");
        }
    }

    private async Task<IReadOnlyList<Node>> FindServersAsync(CancellationToken cancellationToken)
    {
        var read = await Task.WhenAll(fleet.All.Select(async node =>
        {
            try
            {
                return (node, IsServer: (await node.FactsAsync(cancellationToken)).K3s == K3sRole.Server);
            }
            catch (NodeException)
            {
                return (node, IsServer: false);
            }
        }));
        return [.. read.Where(found => found.IsServer).Select(found => found.node)];
    }

    // A node that went away counts as Ready for 40 s more (node-monitor-grace-period): only a lease that its kubelet renewed since K3s was
    // started tells that it is back.
    private static string Wait(string node, TimeSpan limit) => string.Create(CultureInfo.InvariantCulture, $$"""
        limit=$(($(date +%s) + {{(int)limit.TotalSeconds}}))
        in_time() { [ "$(date +%s)" -lt $limit ] || { echo "$1" >&2; exit 1; }; }
        until k3s kubectl get --raw '/readyz/etcd' --request-timeout=10s >/dev/null 2>&1; do
            in_time 'etcd is not ready'
            sleep 0.5
        done
        if [ "$(hostname)" = {{node}} ]; then
            started=$(date -u -d "$(systemctl show --value -p ExecMainStartTimestamp k3s)" +%Y-%m-%dT%H:%M:%S)
            until LC_ALL=C expr "$(k3s kubectl get lease {{node}} -n kube-node-lease --request-timeout=10s -o jsonpath='{.spec.renewTime}' 2>/dev/null)" '>' "$started" >/dev/null; do
                in_time 'the kubelet of {{node}} has not reported since K3s was started'
                sleep 0.5
            done
        fi
        left=$((limit - $(date +%s)))
        [ $left -gt 0 ] || left=1
        k3s kubectl wait --for=condition=Ready nodes --all "--timeout=${left}s" >/dev/null
        """);
}

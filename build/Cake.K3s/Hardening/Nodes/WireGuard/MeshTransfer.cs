using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Nodes;

namespace Cake.K3s.Hardening.Nodes.WireGuard;

/// <summary>
/// The proof of a pods' network: every node sends every other one more than any packet holds, between their addresses in that network,
/// and the network's device counts it.
/// </summary>
/// <param name="device">The device of flannel.</param>
internal sealed class MeshTransfer(string device)
{
    /// <summary>How much each node sends every other one.</summary>
    public const int Bytes = 8 * 1024 * 1024;
    private const string Unit = "cake-k3s-transfer";

    /// <summary>Transfers between all of the nodes; nothing is left on them.</summary>
    /// <returns>What was seen, line by line.</returns>
    /// <exception cref="NodeException">One cannot reach another.</exception>
    public async Task<ImmutableArray<string>> ProveAsync(IReadOnlyCollection<Node> nodes, CancellationToken cancellationToken)
    {
        try
        {
            var ends = await Task.WhenAll(nodes.Select(async node =>
                (Node: node, Address: (await node.RunAsync($"answer in the pods' network at {device}", Serve, cancellationToken)).Trim())));
            var seen = await Task.WhenAll(ends.Select(end => end.Node.RunAsync(
                $"reach the other nodes over {device}",
                Fetch(ends.Where(other => other.Node != end.Node).Select(other => (other.Node.Name, other.Address))),
                cancellationToken)));
            return [.. seen.SelectMany(lines => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))];
        }
        finally
        {
            // It ends by itself too.
            await Task.WhenAll(nodes.Select(node => QuietlyAsync(node, cancellationToken)));
        }
    }

    private static async Task QuietlyAsync(Node node, CancellationToken cancellationToken)
    {
        try
        {
            await node.TryRunAsync($"systemctl stop {Unit} 2>/dev/null", cancellationToken);
        }
        catch (NodeException)
        {
            // The failure of the transfer is the one to tell of.
        }
    }

    private string Serve => $$"""
        set -eu
        address=$(ip -4 -o address show dev {{device}} | awk '{ sub("/.*", "", $4); print $4; exit }')
        [ -n "$address" ] || { echo 'there is no {{device}}' >&2; exit 1; }
        port=/run/{{Unit}}
        systemctl stop {{Unit}} 2>/dev/null || :
        rm -f $port
        systemd-run --quiet --collect --unit={{Unit}} --property=RuntimeMaxSec=180 python3 -c '
        import os, socket, sys, threading
        server = socket.create_server((sys.argv[1], 0))
        with open(sys.argv[2] + ".new", "w") as file:
            file.write(str(server.getsockname()[1]))
        os.replace(sys.argv[2] + ".new", sys.argv[2])
        def send(client):
            with client:
                client.sendall(bytes(range(256)) * ({{Bytes}} // 256))
        while True:
            threading.Thread(target=send, args=(server.accept()[0],)).start()' "$address" $port
        tries=300
        until [ -e $port ]; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo 'the transfer does not begin' >&2; exit 1; }
            sleep 0.1
        done
        echo "$address $(cat $port)"
        rm -f $port
        """;

    // What comes from elsewhere than the device is no proof: the other backend's device and its routes may have stayed.
    private string Fetch(IEnumerable<(string Name, string Address)> others) => string.Create(CultureInfo.InvariantCulture, $$"""
        set -eu
        counted() { cat /sys/class/net/{{device}}/statistics/rx_bytes; }
        while read -r name address port; do
            before=$(counted)
            python3 -c '
        import socket, sys, time
        begun, got, bad = time.monotonic(), 0, False
        with socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=30) as server:
            while chunk := server.recv(65536):
                bad |= chunk != (bytes(range(256)) * 257)[got % 256:][:len(chunk)]
                got += len(chunk)
        if got != {{Bytes}} or bad:
            sys.exit(f"{got} of {{Bytes}} bytes came from {sys.argv[1]}, or others than it sent")
        print(f"{got} bytes from {sys.argv[1]} ({sys.argv[2]}) over {{device}} in {time.monotonic() - begun:.2f} s")' "$name" "$address" "$port" \
                || { echo "$name does not answer at $address" >&2; exit 1; }
            [ $(($(counted) - before)) -ge {{Bytes}} ] || { echo "what $name sent did not come over {{device}}" >&2; exit 1; }
        done <<'@@OTHERS'
        {{string.Join('\n', others.Select(other => $"{other.Name} {other.Address}"))}}
        @@OTHERS
        """);
}

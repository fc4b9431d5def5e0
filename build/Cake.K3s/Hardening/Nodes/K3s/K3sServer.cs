namespace Cake.K3s.Hardening.Nodes.K3s;

/// <summary>POSIX shell about K3s' server on a node, as its installer sets it up.</summary>
internal static class K3sServer
{
    /// <summary>Where K3s reads settings beside its config.yaml; a key that ends in <c>+</c> adds to a list.</summary>
    public const string Settings = "/etc/rancher/k3s/config.yaml.d";

    /// <summary>Prints <c>server=yes</c> where the node is one.</summary>
    public const string Facts = "[ -e /etc/systemd/system/k3s.service ] && echo server=yes";

    /// <summary>Prints <c>encrypted=yes</c> where pods of different nodes reach each other over WireGuard alone.</summary>
    public const string PodNetworkFacts = "[ -e /sys/class/net/flannel-wg ] && [ ! -e /sys/class/net/flannel.1 ] && echo encrypted=yes";

    /// <summary>
    /// Restarts K3s and waits until its API is ready; fails after two minutes, or at once where K3s ends. systemd refuses to start a unit
    /// for the sixth time within ten seconds (systemd.unit(5), StartLimitBurst=), however well it ran: the count begins anew here.
    /// </summary>
    public const string Restart = """
        if [ -e /etc/systemd/system/k3s.service ]; then
            systemctl reset-failed k3s
            systemctl restart k3s || { journalctl -q -n 5 -o cat -u k3s >&2; echo 'k3s does not start' >&2; exit 1; }
            tries=240
            until k3s kubectl get --raw /readyz >/dev/null 2>&1; do
                tries=$((tries - 1))
                if [ $tries = 0 ] || systemctl -q is-failed k3s; then
                    journalctl -q -n 5 -o cat -u k3s >&2
                    echo 'the API of k3s does not become ready' >&2
                    exit 1
                fi
                sleep 0.5
            done
        fi
        """;

    /// <summary>
    /// Restarts K3s in an undo: a server that is cut off from the others does not become ready, and the undo must not wait for that. Ten
    /// seconds are for not taking the next one away at the same time.
    /// </summary>
    public const string RestartInUndo = """
        if [ -e /etc/systemd/system/k3s.service ]; then
            systemctl stop k3s
            systemctl reset-failed k3s
            systemctl --no-block start k3s
            tries=20
            until [ $tries = 0 ] || k3s kubectl get --raw /readyz --request-timeout=1s >/dev/null 2>&1; do
                tries=$((tries - 1))
                sleep 0.5
            done
        fi
        """;
}

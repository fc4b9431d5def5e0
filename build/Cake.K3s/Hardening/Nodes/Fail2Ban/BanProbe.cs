namespace Cake.K3s.Hardening.Nodes.Fail2Ban;

/// <summary>A second address on the node itself, from which logins fail until it is banned, and succeed to connect once it is not.</summary>
internal static class BanProbe
{
    /// <summary>
    /// POSIX shell that ends with 0 where the ban was seen and lifted. The address is of TEST-NET-1 (RFC 5737), in a network namespace of its
    /// own; packets from it are let past the firewall's other rules while it lasts, and nothing is left of it.
    /// </summary>
    /// <param name="port">The port of SSH.</param>
    public static string Script(int port) => $$"""
        set -eu
        export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        space=cake-k3s-probe here=192.0.2.253 there=192.0.2.254
        # Prints how many were banned, or, before 0.11, the address.
        unban() { fail2ban-client set sshd unbanip $there; }
        banned=
        clean() {
            [ -z "$banned" ] || unban >/dev/null 2>&1 || :
            iptables -D INPUT -i cake-k3s0 -j ACCEPT 2>/dev/null || :
            ip netns delete $space 2>/dev/null || :
            ip link delete cake-k3s0 2>/dev/null || :
        }
        clean
        trap clean EXIT
        ip netns add $space
        ip link add cake-k3s0 type veth peer name probe netns $space
        ip address add $here/30 dev cake-k3s0
        ip link set cake-k3s0 up
        ip netns exec $space ip address add $there/30 dev probe
        ip netns exec $space ip link set probe up
        # Behind fail2ban's own rule, which is there already or goes first with the first ban; nftables would ask it before anyway.
        if command -v iptables >/dev/null; then
            behind=$(iptables -n --line-numbers -L INPUT | awk '/f2b-/ { last = $1 } END { print last + 1 }')
            iptables -I INPUT "$behind" -i cake-k3s0 -j ACCEPT
        fi
        # A login that fails, and says so where it got as far as sshd. Nothing secret is said: the quickest key exchange will do.
        try() {
            ip netns exec $space ssh -F /dev/null -p {{port}} -o BatchMode=yes -o ConnectTimeout=1 -o StrictHostKeyChecking=no \
                -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o PubkeyAuthentication=no -o 'KexAlgorithms=-sntrup*,mlkem*' cake-k3s-probe@$here true 2>&1 || :
        }
        # A connection alone, for which no client and no session is started.
        reaches() { ip netns exec $space timeout 1 bash -c ': </dev/tcp/'$here'/{{port}}' 2>/dev/null; }
        refused() { case $(try) in *'Permission denied'*) ;; *) false ;; esac; }
        # A ban of a probe that was cut off outlives it.
        refused || { unban >/dev/null && refused; } || { echo 'the probe does not reach sshd' >&2; exit 1; }
        banned=perhaps
        for attempt in 2 3 4 5; do try >/dev/null & done
        wait
        # One connection may be lost on a busy node: it is a ban where fail2ban had one to lift.
        tries=100
        until ! reaches && banned=$(unban) && case $banned in 1|"$there") ;; *) false ;; esac; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo "$there is not banned after 5 failed logins" >&2; fail2ban-client status sshd >&2; exit 1; }
            sleep 0.1
        done
        banned=
        echo "$there was banned after 5 failed logins and reached port {{port}} no more"
        tries=20
        until reaches; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo "$there is not banned any more and does not reach sshd" >&2; exit 1; }
            sleep 0.1
        done
        echo "the ban was lifted and $there reached port {{port}} again"
        """;
}

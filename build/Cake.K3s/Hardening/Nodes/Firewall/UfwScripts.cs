using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>POSIX shell that reads and changes UFW on a node.</summary>
internal static class UfwScripts
{
    /// <summary>The files that UFW keeps what this library changes in.</summary>
    public static ImmutableArray<string> Files { get; } = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf", "/etc/default/ufw"];

    /// <summary>
    /// Reads UFW's settings and rules, how many rules the kernel has of them, and what takes connections to the web ports before UFW sees
    /// them. From files: UFW itself takes a quarter of a second to tell the same.
    /// </summary>
    public const string SharedScript = """
        ufw=$(
        [ -x /usr/sbin/ufw ] && echo installed=yes
        grep -hE '^(ENABLED|DEFAULT_INPUT_POLICY|IPV6)=|^### tuple ' /etc/ufw/ufw.conf /etc/default/ufw /etc/ufw/user.rules /etc/ufw/user6.rules
        printf 'loaded=%s\n' "$(iptables -w 5 -S ufw-user-input | grep -c '^-A')"
        iptables -w 5 -t nat -S | grep -E -- '--dports? ([0-9]+,)*(80|443)(,[0-9]+)* .*-j (DNAT|REDIRECT|CNI-HOSTPORT-DNAT)' | sed 's/^/before=/'
        )
        """;

    /// <summary>Prints what <see cref="SharedScript"/> has read, and where sshd listens.</summary>
    public const string Facts = """
        printf '%s\n' "$ufw"
        printf '%s\n' "$listeners" | sed -nE '/"(sshd|systemd)"/s/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]*:([0-9]+) .*/listens=\1/p' | sort -u
        """;

    /// <summary>
    /// Makes UFW as its files say. Not by <c>ufw disable</c>, which writes to the files.
    /// </summary>
    public const string Reload = """
        if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then ufw reload; elif [ -x /lib/ufw/ufw-init ]; then /lib/ufw/ufw-init force-stop; fi
        """;

    /// <summary>
    /// Gives UFW one command after the other. All by one interpreter, which loads UFW once and asks the kernel once for what it can: for each
    /// command UFW would make chains in it to try, and the kernel takes its time to let them go.
    /// </summary>
    public static string Run(IEnumerable<string> commands) => $$"""
        python3 -W ignore -c '
        import functools, runpy, shlex, sys, ufw.util
        ask = getattr(ufw.util, "get_netfilter_capabilities", None)
        if ask:
            ufw.util.get_netfilter_capabilities = functools.lru_cache(None)(ask)
        for line in sys.stdin:
            sys.argv = ["ufw"] + shlex.split(line)
            try:
                runpy.run_path("/usr/sbin/ufw", run_name="__main__")
            except SystemExit as end:
                if end.code:
                    sys.exit("ufw " + line.strip() + ": failed")
        ' >/dev/null <<'@@RULES'
        {{string.Join('\n', commands)}}
        @@RULES
        """;
}

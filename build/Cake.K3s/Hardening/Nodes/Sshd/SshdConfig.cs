using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes.Sshd;

/// <summary>sshd's effective configuration, as <c>sshd -T</c> prints it.</summary>
/// <param name="Values">The values by keyword in lower case; a keyword such as <c>port</c> may have several.</param>
internal sealed record SshdConfig(ImmutableDictionary<string, ImmutableArray<string>> Values)
{
    /// <summary>The directory whose files sshd reads before its own; of several values it takes the first.</summary>
    public const string DropIns = "/etc/ssh/sshd_config.d";

    /// <summary>sshd's own file.</summary>
    public const string File = "/etc/ssh/sshd_config";

    /// <summary>Reads what <see cref="FactScript"/> prints: sshd takes a while to tell it, and several controls want to know.</summary>
    public const string SharedScript = """
        # A server that is started by a socket has no such directory while it is idle.
        [ -d /run/sshd ] || mkdir -m 755 /run/sshd
        sshd_config=$(sshd -T | sed 's/^/sshd=/')
        """;

    /// <summary>Prints the configuration, each line behind <c>sshd=</c>, and whether drop-ins are read, as <c>dropins=yes</c>.</summary>
    public const string FactScript = """
        printf '%s\n' "$sshd_config"
        grep -qiE '^[[:space:]]*Include[[:space:]]+"?/etc/ssh/sshd_config\.d/\*\.conf' /etc/ssh/sshd_config && echo dropins=yes
        """;

    /// <summary>Makes sshd read drop-ins, where it does not; POSIX shell for a change that touches <see cref="File"/>.</summary>
    public const string ReadDropIns = "sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config";

    /// <summary>
    /// Checks the files and has the server read them, whether it runs by itself or is started by a socket (Ubuntu 22.10 and later, whose
    /// generator makes the socket's ports from sshd_config).
    /// </summary>
    public const string Reload = """
        [ -d /run/sshd ] || mkdir -m 755 /run/sshd
        sshd -t
        if systemctl -q is-active ssh.socket; then
            systemctl daemon-reload
            # A socket cannot be opened anew while its service runs; sessions go on without the service.
            systemctl stop ssh.service
            systemctl reset-failed ssh.socket
            systemctl restart ssh.socket
        elif systemctl -q is-active ssh.service; then
            systemctl reload ssh.service
        fi
        """;

    /// <summary>The port of SSH where nothing says otherwise.</summary>
    public const int DefaultPort = 22;

    /// <summary>The ports that it is told to listen on.</summary>
    public ImmutableArray<int> Ports => Values.TryGetValue("port", out var ports) ? [.. ports.Select(int.Parse)] : [];

    /// <summary>Reads it from lines of <c>keyword value</c>.</summary>
    public static SshdConfig Parse(IEnumerable<string> lines) => new(lines
        .Select(line => line.Split(' ', 2))
        .Where(parts => parts.Length == 2)
        .GroupBy(parts => parts[0], parts => parts[1])
        .ToImmutableDictionary(group => group.Key, group => group.ToImmutableArray(), StringComparer.OrdinalIgnoreCase));

    /// <summary>The first value of a keyword; empty where it is not there.</summary>
    public string this[string keyword] => Values.TryGetValue(keyword, out var values) ? values[0] : "";
}

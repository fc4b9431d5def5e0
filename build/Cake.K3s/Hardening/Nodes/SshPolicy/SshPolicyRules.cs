using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Sshd;

namespace Cake.K3s.Hardening.Nodes.SshPolicy;

/// <summary>What sshd is told: keys only, no root password, few attempts, modern algorithms (after dev-sec's ssh-baseline).</summary>
internal static class SshPolicyRules
{
    // sshd -T's word for prohibit-password, which old versions do not print.
    private const string KeysOnly = "without-password";

    private static readonly ImmutableArray<(string Keyword, string Offered, ImmutableArray<string> Best)> Algorithms =
    [
        ("KexAlgorithms", "kex",
        [
            "mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org",
            "diffie-hellman-group18-sha512", "diffie-hellman-group16-sha512",
        ]),
        ("Ciphers", "cipher", ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"]),
        ("MACs", "mac", ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "umac-128-etm@openssh.com"]),
    ];

    /// <summary>The keywords with their values, for a server that knows certain algorithms.</summary>
    /// <param name="offered">The algorithms it knows, by kind as <c>ssh -Q</c> names it.</param>
    /// <param name="forwarding">Whether operators tunnel through it, e.g. to the Kubernetes API.</param>
    public static ImmutableArray<(string Keyword, string Value)> For(Func<string, IEnumerable<string>> offered, bool forwarding) =>
    [
        ("PasswordAuthentication", "no"),
        ("KbdInteractiveAuthentication", "no"),
        ("PubkeyAuthentication", "yes"),
        ("PermitRootLogin", "prohibit-password"),
        ("PermitEmptyPasswords", "no"),
        ("PermitUserEnvironment", "no"),
        ("StrictModes", "yes"),

        // An agent may hold several keys, each of which counts as an attempt; dev-sec's 2 locks its owner out.
        ("MaxAuthTries", "4"),
        ("MaxSessions", "10"),
        ("MaxStartups", "10:30:60"),
        ("LoginGraceTime", "30"),
        ("ClientAliveInterval", "300"),
        ("ClientAliveCountMax", "3"),
        ("X11Forwarding", "no"),
        ("AllowAgentForwarding", "no"),
        ("AllowTcpForwarding", forwarding ? "local" : "no"),
        ("GatewayPorts", "no"),
        ("PermitTunnel", "no"),
        .. Algorithms.Select(kind => (kind.Keyword, string.Join(',', kind.Best.Intersect(offered(kind.Offered))))).Where(kind => kind.Item2.Length > 0),
    ];

    /// <summary>A file for sshd's drop-ins.</summary>
    public static string File(IEnumerable<(string Keyword, string Value)> rules) =>
        "# Written by Cake.K3s (SshPolicy); --target=Undo-SshPolicy takes it back.\n" + string.Concat(rules.Select(rule => $"{rule.Keyword} {rule.Value}\n"));

    /// <summary>Where the server differs, each as one line.</summary>
    public static ImmutableArray<string> Differences(SshdConfig config, IEnumerable<(string Keyword, string Value)> rules) =>
    [
        .. from rule in rules
           let wanted = rule.Value == "prohibit-password" ? KeysOnly : rule.Value
           let present = config[rule.Keyword] is "prohibit-password" ? KeysOnly : config[rule.Keyword]
           where present != wanted
           select $"{rule.Keyword} is {(present.Length == 0 ? "not set" : present)}, expected {rule.Value}",
    ];
}

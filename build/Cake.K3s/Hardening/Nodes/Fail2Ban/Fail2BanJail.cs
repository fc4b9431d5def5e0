using System.Globalization;

namespace Cake.K3s.Hardening.Nodes.Fail2Ban;

/// <summary>The jail for SSH.</summary>
internal static class Fail2BanJail
{
    /// <summary>Failed logins within <see cref="FindTime"/> that lead to a ban.</summary>
    public const int MaxRetry = 5;

    /// <summary>As fail2ban writes a length of time.</summary>
    public const string FindTime = "10m";

    /// <summary>How long a ban lasts.</summary>
    public const string BanTime = "1h";

    /// <summary>What stands before the address that the jail was first written from, where deploy.yaml names no operators.</summary>
    public const string OperatorMark = "# Operator: ";

    /// <summary>
    /// The file, which wins over all others. Nothing in it makes fail2ban ask DNS: with its default, <c>ignoreself</c>, it looks up the host's own name
    /// before it counts the first failed login, for 6 s where no server answers; the nodes' own addresses are in the list instead. Nor is a name that
    /// stands in a log believed.
    /// </summary>
    /// <param name="ports">The ports of SSH, now and after it was moved.</param>
    /// <param name="operators">Operators' addresses.</param>
    /// <param name="others">Further addresses that are never banned.</param>
    public static string File(IEnumerable<int> ports, IReadOnlyCollection<string> operators, IEnumerable<string> others) => string.Create(CultureInfo.InvariantCulture, $"""
        # Written by Cake.K3s (Fail2Ban); --target=Undo-Fail2Ban takes it back.
        {OperatorMark}{string.Join(' ', operators)}
        [sshd]
        enabled = true
        backend = systemd
        port = {string.Join(',', ports.Distinct().Order())}
        usedns = no
        ignoreself = false
        ignoreip = 127.0.0.1/8 ::1 {string.Join(' ', operators.Concat(others).Distinct())}
        maxretry = {MaxRetry}
        findtime = {FindTime}
        bantime = {BanTime}

        """);
}

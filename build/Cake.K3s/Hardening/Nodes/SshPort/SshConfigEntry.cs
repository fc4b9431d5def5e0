namespace Cake.K3s.Hardening.Nodes.SshPort;

/// <summary>A host's port in the text of an SSH configuration (ssh_config).</summary>
internal static class SshConfigEntry
{
    private const string End = "# Cake.K3s end";

    /// <summary>The text with the host's port; everything else stays as it is.</summary>
    public static string Set(string text, string host, int port) => Entry(host, port) + Remove(text, host);

    /// <summary>The text without what <see cref="Set"/> added.</summary>
    public static string Remove(string text, string host)
    {
        var start = text.IndexOf(Start(host), StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf(End + "\n", start, StringComparison.Ordinal);
        return end < 0 ? text : text.Remove(start, end + End.Length + 1 - start);
    }

    // At the top, because the first value counts; and closed, because what follows may be meant for all hosts.
    private static string Entry(string host, int port) => $"""
        {Start(host)}Host {host}
            Port {port}
        Match all
        {End}

        """;

    private static string Start(string host) => $"# Cake.K3s SshPort {host}\n";
}

namespace Cake.K3s.Hardening.Nodes.SshPort;

/// <summary>A line of sshd's files, as <c>grep -H</c> prints it.</summary>
/// <param name="File">Absolute path of the file.</param>
/// <param name="Keyword">The keyword.</param>
/// <param name="Value">What follows.</param>
internal sealed record ConfigLine(string File, string Keyword, string Value)
{
    /// <summary>Whether it is an address with a port of its own, which no <c>Port</c> line changes.</summary>
    public bool NamesAddressWithPort =>
        Keyword.Equals("ListenAddress", StringComparison.OrdinalIgnoreCase)
        && (Value.Contains("]:", StringComparison.Ordinal) || Value.Count(letter => letter == ':') == 1);

    /// <summary>Reads a line; null where it is none.</summary>
    public static ConfigLine? Parse(string line) =>
        line.Split(':', 2) is [var file, var rest] && rest.Split([' ', '\t', '='], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [var keyword, var value]
            ? new ConfigLine(file, keyword, value)
            : null;
}

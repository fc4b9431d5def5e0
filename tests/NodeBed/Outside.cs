namespace Cake.K3s.NodeBed;

/// <summary>What came of a connection.</summary>
public enum Answer
{
    /// <summary>The port answered.</summary>
    Open,

    /// <summary>Nothing listens there.</summary>
    Refused,

    /// <summary>Nothing came back: it was dropped on the way.</summary>
    Silent,
}

/// <summary>A machine outside the nodes' network, with any address.</summary>
public sealed class Outside(Bed bed)
{
    /// <summary>Of nobody's allowed ranges (TEST-NET-2 of RFC 5737).</summary>
    public const string Address = "198.51.100.7";

    /// <summary>The same, IPv6 (RFC 3849).</summary>
    public const string Address6 = "2001:db8:bad::7";

    /// <summary>Tries a TCP connection from an address that it takes for this.</summary>
    public async Task<Answer> ConnectAsync(string from, string to, int port)
    {
        await RunAsync("ip", "address", "replace", from, "dev", "internet", "nodad");
        return AnswerOf(await RunAsync("sh", "-c", $"nc -vz -w 1 -s {from} {to} {port} 2>&1 || true"));
    }

    /// <summary>Runs a program of the nodes' image there.</summary>
    /// <returns>Standard output, without the line end.</returns>
    public async Task<string> RunAsync(params string[] command)
    {
        var result = await bed.Runner.RunAsync(bed.Inside(["outside", .. command]) with { Timeout = TimeSpan.FromMinutes(1) }, CancellationToken.None);
        return result.StandardOutput.TrimEnd('\n');
    }

    internal static Answer AnswerOf(string netcat) =>
        netcat.Contains("succeeded", StringComparison.Ordinal) ? Answer.Open
        : netcat.Contains("refused", StringComparison.Ordinal) ? Answer.Refused
        : netcat.Contains("timed out", StringComparison.Ordinal) ? Answer.Silent
        : throw new InvalidOperationException(netcat);
}

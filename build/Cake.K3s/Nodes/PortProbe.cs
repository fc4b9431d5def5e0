using System.Net.Sockets;

namespace Cake.K3s.Nodes;

/// <summary>What came of a TCP connection.</summary>
internal enum PortAnswer
{
    /// <summary>Something listens there.</summary>
    Open,

    /// <summary>The node answered that nothing listens there: no firewall is in the way.</summary>
    Refused,

    /// <summary>Nothing came back: it was dropped on the way.</summary>
    Silent,
}

/// <summary>Tries TCP ports from this machine: the proof of a firewall that no file can give.</summary>
internal static class PortProbe
{
    // A node on another continent answers within 0.3 s.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <summary>Tries one port.</summary>
    public static async Task<PortAnswer> TryAsync(string host, int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await client.ConnectAsync(host, port, limit.Token);
            return PortAnswer.Open;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.ConnectionRefused ? PortAnswer.Refused : PortAnswer.Silent;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return PortAnswer.Silent;
        }
    }

    /// <summary>Those of the ports from which something came back.</summary>
    public static async Task<IReadOnlyList<int>> AnsweringAsync(string host, IEnumerable<int> ports, CancellationToken cancellationToken)
    {
        var tried = await Task.WhenAll(ports.Select(async port => (Port: port, Answer: await TryAsync(host, port, cancellationToken))));
        return [.. tried.Where(port => port.Answer != PortAnswer.Silent).Select(port => port.Port)];
    }
}

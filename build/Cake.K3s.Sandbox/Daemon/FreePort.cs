using System.Net;
using System.Net.Sockets;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Chooses ports of 127.0.0.1.</summary>
internal static class FreePort
{
    // Below what the kernel gives to outgoing connections (ip_local_port_range, 32768 on): a kept port must be free again
    // when its part starts anew. And below NodePorts.
    private const int First = 20000;
    private const int Last = 29999;

    /// <summary>The port that was asked for, else the one that was chosen before, else a free one.</summary>
    /// <param name="wanted">From deploy.yaml; 0 for any.</param>
    /// <param name="kept">From the sandbox's state; 0 for none.</param>
    /// <param name="isOurs">Whether the part that listens there is still running: then its port is not free, and right.</param>
    /// <param name="part">Who asks, for the error.</param>
    /// <exception cref="K3sException">Another program has the wanted port.</exception>
    public static int Choose(int wanted, int kept, bool isOurs, string part)
    {
        if (wanted != 0)
        {
            return (isOurs && wanted == kept) || IsFree(wanted)
                ? wanted
                : throw new K3sException(
                    ExitCodes.RequirementMissing,
                    $"the sandbox's {part} cannot listen on 127.0.0.1:{wanted}: another program does",
                    $"End that program, or set {part}Port under the sandbox's environment in deploy.yaml (0 takes a free one).");
        }

        return kept != 0 && (isOurs || IsFree(kept)) ? kept : AnyFree();
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }

    private static int AnyFree()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last + 1);
            if (IsFree(port))
            {
                return port;
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Cake.K3s.Sandbox.Network;

/// <summary>
/// Passes datagrams on from the address of a Service, and the answers back. A client stays with its endpoint until it has been silent for
/// a while, as the kernel's connection tracking has it for kube-proxy.
/// </summary>
/// <param name="listener">Bound to the Service's address; belongs to the relay.</param>
/// <param name="choose">The endpoint for a new client; null drops what it sent.</param>
/// <param name="silence">After how long without a datagram a client is forgotten.</param>
internal sealed class DatagramRelay(Socket listener, Func<IPEndPoint, IPEndPoint?> choose, TimeSpan silence) : IDisposable
{
    private const int LargestDatagram = 64 * 1024;
    private readonly ConcurrentDictionary<EndPoint, Socket> _clients = new();

    /// <summary>Serves until the relay is disposed of or cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestDatagram];
        while (true)
        {
            try
            {
                var received = await listener.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
                if (EndpointOf((IPEndPoint)received.RemoteEndPoint, cancellationToken) is { } endpoint)
                {
                    await endpoint.SendAsync(buffer.AsMemory(0, received.ReceivedBytes), cancellationToken);
                }
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // Nobody listens there, or the client's socket was closed in between: datagrams may be lost.
            }
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        foreach (var socket in _clients.Values)
        {
            socket.Dispose();
        }
    }

    private Socket? EndpointOf(IPEndPoint client, CancellationToken cancellationToken)
    {
        if (_clients.TryGetValue(client, out var known))
        {
            return known;
        }

        if (choose(client) is not { } endpoint)
        {
            return null;
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(endpoint);
        _clients[client] = socket;
        _ = AnswerAsync(client, socket, cancellationToken);
        return socket;
    }

    private async Task AnswerAsync(IPEndPoint client, Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestDatagram];
        try
        {
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(silence);
                var length = await socket.ReceiveAsync(buffer, limit.Token);
                await listener.SendToAsync(buffer.AsMemory(0, length), client, cancellationToken);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Silent for long, refused by the endpoint, or the Service is gone: its next datagram chooses anew.
        }
        finally
        {
            _clients.TryRemove(KeyValuePair.Create<EndPoint, Socket>(client, socket));
            socket.Dispose();
        }
    }
}

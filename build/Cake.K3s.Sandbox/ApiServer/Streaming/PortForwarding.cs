using System.Buffers.Binary;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Cake.K3s.Sandbox.ApiServer.Pods;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>Carries a client's connections to ports of a pod.</summary>
internal sealed class PortForwarding(IPodRuntime runtime, PodReference pod)
{
    /// <summary>What kubectl speaks: SPDY inside a WebSocket.</summary>
    public const string TunnelProtocol = "SPDY/3.1+portforward.k8s.io";

    /// <summary>What other clients speak: two channels for each port.</summary>
    public const string ChannelProtocol = "v4.channel.k8s.io";

    /// <summary>Carries connections over SPDY: each has a stream for data and one for errors, with the same request id.</summary>
    public async Task RunAsync(SpdyConnection connection, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = connection.RunAsync(ending.Token);
        var errors = new Dictionary<string, SpdyStream>(StringComparer.Ordinal);
        var forwards = new List<Task>();
        try
        {
            await foreach (var stream in connection.Opened.ReadAllAsync(ending.Token).ConfigureAwait(false))
            {
                var id = stream.Headers.GetValueOrDefault("requestid", "");
                if (stream.Headers.GetValueOrDefault("streamtype") == "error")
                {
                    errors[id] = stream;
                }
                else if (errors.Remove(id, out var error))
                {
                    forwards.RemoveAll(forward => forward.IsCompleted);
                    forwards.Add(ForwardAsync(stream, error, ending.Token));
                }
            }

            await running.ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll([running, .. forwards]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Carries one connection to each port over WebSocket channels; each begins with its port number.</summary>
    public async Task RunAsync(WebSocket socket, IReadOnlyList<int> ports, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var sending = new SemaphoreSlim(1, 1);
        var connections = new Stream?[ports.Count];
        var outputs = new List<Task>();
        try
        {
            for (var index = 0; index < ports.Count; index++)
            {
                var at = index;
                var number = new byte[2];
                BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)ports[at]);
                await SendAsync(socket, sending, (byte)(at * 2), number, ending.Token).ConfigureAwait(false);
                await SendAsync(socket, sending, (byte)((at * 2) + 1), number, ending.Token).ConfigureAwait(false);
                try
                {
                    connections[at] = await runtime.ConnectAsync(pod, ports[at], ending.Token).ConfigureAwait(false);
                    outputs.Add(CopyAsync(connections[at]!, data => SendAsync(socket, sending, (byte)(at * 2), data, ending.Token), ending.Token));
                }
                catch (Exception exception) when (exception is PodRuntimeException or IOException)
                {
                    await SendAsync(socket, sending, (byte)((at * 2) + 1), Encoding.UTF8.GetBytes(Failure(ports[at], exception)), ending.Token).ConfigureAwait(false);
                }
            }

            var received = ReceiveAsync(socket, connections, ending.Token);
            await Task.WhenAny(received, Task.WhenAll(outputs)).ConfigureAwait(false);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ending.Token).ConfigureAwait(false);
                await received.WaitAsync(TimeSpan.FromSeconds(5), ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(outputs).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var connection in connections.OfType<Stream>())
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task ForwardAsync(SpdyStream data, SpdyStream error, CancellationToken cancellationToken)
    {
        var port = int.Parse(data.Headers.GetValueOrDefault("port", "0"), CultureInfo.InvariantCulture);
        try
        {
            var connection = await runtime.ConnectAsync(pod, port, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var sending = SendInputAsync(data.Input, connection, cancellationToken);
                await CopyAsync(connection, bytes => data.SendAsync(bytes, cancellationToken), cancellationToken).ConfigureAwait(false);
                await data.CloseAsync(cancellationToken).ConfigureAwait(false);
                await error.CloseAsync(cancellationToken).ConfigureAwait(false);
                await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (Exception exception) when (exception is PodRuntimeException or IOException)
        {
            await error.SendAsync(Encoding.UTF8.GetBytes(Failure(port, exception)), cancellationToken).ConfigureAwait(false);
            await error.CloseAsync(cancellationToken).ConfigureAwait(false);
            await data.CloseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task SendInputAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        await CopyAsync(from, async bytes =>
        {
            await to.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            await to.FlushAsync(cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        if (to is System.Net.Sockets.NetworkStream network)
        {
            network.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        }
    }

    private static async Task ReceiveAsync(WebSocket socket, Stream?[] connections, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 15];
        var channel = -1;
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            var data = buffer.AsMemory(0, received.Count);
            if (channel < 0 && !data.IsEmpty)
            {
                channel = data.Span[0];
                data = data[1..];
            }

            if (channel >= 0 && channel % 2 == 0 && channel / 2 < connections.Length && connections[channel / 2] is { } connection)
            {
                await connection.WriteAsync(data, cancellationToken).ConfigureAwait(false);
                await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            channel = received.EndOfMessage ? -1 : channel;
        }
    }

    private static async Task SendAsync(WebSocket socket, SemaphoreSlim sending, byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var message = new byte[data.Length + 1];
        message[0] = channel;
        data.CopyTo(message.AsMemory(1));
        await sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            sending.Release();
        }
    }

    private static async Task CopyAsync(Stream from, Func<ReadOnlyMemory<byte>, Task> write, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 15];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await write(buffer.AsMemory(0, read)).ConfigureAwait(false);
        }
    }

    private string Failure(int port, Exception exception)
        => $"error forwarding port {port} to pod {pod.Uid}, uid : {exception.Message}";
}

using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text.Json;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>Exec and attach over a WebSocket: the first byte of a message is the number of the stream.</summary>
internal sealed class WebSocketStreams(WebSocket socket) : IClientStreams
{
    /// <summary>The protocols, best first. The fifth can close stdin.</summary>
    public static readonly IReadOnlyList<string> Protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

    private const byte Input0 = 0;
    private const byte Resize = 4;
    private const byte Close = 255;

    private readonly Pipe _input = new();
    private readonly SemaphoreSlim _sending = new(1, 1);

    public Stream Input => field ??= _input.Reader.AsStream();

    public async Task RunAsync(Func<int, int, Task> resize, CancellationToken cancellationToken)
    {
        try
        {
            var message = new MemoryStream();
            var buffer = new byte[1 << 15];
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                message.Write(buffer.AsSpan(0, received.Count));
                if (!received.EndOfMessage)
                {
                    continue;
                }

                var content = message.GetBuffer().AsMemory(0, (int)message.Length);
                message.SetLength(0);
                if (!content.IsEmpty)
                {
                    await HandleAsync(content, resize, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (WebSocketException)
        {
            // The client has gone without a word; the caller ends the session the same way.
        }
        finally
        {
            await _input.Writer.CompleteAsync().ConfigureAwait(false);
        }
    }

    public async Task WriteAsync(ClientStream stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var message = new byte[data.Length + 1];
        message[0] = (byte)stream;
        data.CopyTo(message.AsMemory(1));
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        _sending.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> message, Func<int, int, Task> resize, CancellationToken cancellationToken)
    {
        switch (message.Span[0])
        {
            case Input0:
                await _input.Writer.WriteAsync(message[1..], cancellationToken).ConfigureAwait(false);
                break;
            case Resize:
                await TerminalSize.ReadAsync(message[1..], resize).ConfigureAwait(false);
                break;
            case Close when message.Length > 1 && message.Span[1] == Input0:
                await _input.Writer.CompleteAsync().ConfigureAwait(false);
                break;
        }
    }
}

/// <summary>The messages that tell the size of a terminal.</summary>
internal static class TerminalSize
{
    public static Task ReadAsync(ReadOnlyMemory<byte> json, Func<int, int, Task> resize)
    {
        try
        {
            var size = JsonBody.ReadObject(json.Span);
            return resize((int)(size.Integer("Width") ?? 0), (int)(size.Integer("Height") ?? 0));
        }
        catch (JsonException)
        {
            return Task.CompletedTask;
        }
    }
}

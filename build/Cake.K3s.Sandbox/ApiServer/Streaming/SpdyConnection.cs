using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>
/// The server's side of a SPDY/3.1 connection, as far as Kubernetes clients use it: streams that the client opens, no flow control.
/// kubectl speaks it for port-forward, inside a WebSocket.
/// </summary>
internal sealed class SpdyConnection(Stream transport) : IAsyncDisposable
{
    private const int LargestFrame = 1 << 24;
    private const int LargestWrite = 1 << 15;
    private const byte Fin = 1;

    private readonly SpdyHeaders _headers = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<uint, SpdyStream> _streams = new();
    private readonly Channel<SpdyStream> _opened = Channel.CreateUnbounded<SpdyStream>();

    /// <summary>The streams as the client opens them.</summary>
    public ChannelReader<SpdyStream> Opened => _opened.Reader;

    /// <summary>Reads frames until the client leaves.</summary>
    /// <exception cref="InvalidDataException">The client does not speak SPDY.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var header = new byte[8];
            while (await transport.ReadAtLeastAsync(header, 8, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) == 8)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4)) & 0xFFFFFF;
                var body = new byte[length < LargestFrame ? length : throw new InvalidDataException("a frame is too large")];
                await transport.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
                if ((header[0] & 0x80) == 0)
                {
                    Data(BinaryPrimitives.ReadUInt32BigEndian(header), header[4], body);
                }
                else
                {
                    await ControlAsync(BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2)), header[4], body, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _opened.Writer.TryComplete();
            foreach (var stream in _streams.Values)
            {
                stream.EndInput();
            }
        }
    }

    /// <summary>Sends data on a stream; the last piece closes this side of it.</summary>
    public async Task SendAsync(uint stream, ReadOnlyMemory<byte> data, bool last, CancellationToken cancellationToken)
    {
        do
        {
            var piece = data.Length > LargestWrite ? data[..LargestWrite] : data;
            data = data[piece.Length..];
            var frame = new byte[8 + piece.Length];
            BinaryPrimitives.WriteUInt32BigEndian(frame, stream);
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), piece.Length);
            frame[4] = last && data.IsEmpty ? Fin : (byte)0;
            piece.CopyTo(frame.AsMemory(8));
            await WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        }
        while (!data.IsEmpty);
    }

    public ValueTask DisposeAsync()
    {
        _headers.Dispose();
        _writing.Dispose();
        return transport.DisposeAsync();
    }

    private void Data(uint id, byte flags, byte[] body)
    {
        if (_streams.TryGetValue(id, out var stream))
        {
            stream.Receive(body);
            if ((flags & Fin) != 0)
            {
                stream.EndInput();
            }
        }
    }

    private async Task ControlAsync(ushort type, byte flags, byte[] body, CancellationToken cancellationToken)
    {
        switch (type)
        {
            case 1:
                var id = BinaryPrimitives.ReadUInt32BigEndian(body) & 0x7FFFFFFF;
                var stream = new SpdyStream(this, id, _headers.Read(body.AsSpan(10)));
                _streams[id] = stream;
                if ((flags & Fin) != 0)
                {
                    stream.EndInput();
                }

                await ReplyAsync(id, cancellationToken).ConfigureAwait(false);
                _opened.Writer.TryWrite(stream);
                break;
            case 3:
                if (_streams.TryRemove(BinaryPrimitives.ReadUInt32BigEndian(body) & 0x7FFFFFFF, out var reset))
                {
                    reset.EndInput();
                }

                break;
            case 6:
                await WriteAsync(Frame(6, body), cancellationToken).ConfigureAwait(false);
                break;
            case 8:
                _headers.Read(body.AsSpan(4));
                break;
        }
    }

    /// <summary>SYN_REPLY without headers.</summary>
    private Task ReplyAsync(uint id, CancellationToken cancellationToken)
    {
        var block = _headers.WriteEmpty();
        var body = new byte[4 + block.Length];
        BinaryPrimitives.WriteUInt32BigEndian(body, id);
        block.CopyTo(body, 4);
        return WriteAsync(Frame(2, body), cancellationToken);
    }

    private static byte[] Frame(ushort type, byte[] body)
    {
        var frame = new byte[8 + body.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, 0x8003);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), type);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), body.Length);
        body.CopyTo(frame, 8);
        return frame;
    }

    private async Task WriteAsync(byte[] frame, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await transport.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
            await transport.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }
}

using System.Text;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>Exec and attach over SPDY, for clients older than WebSockets in kubectl.</summary>
internal sealed class SpdyStreams : IClientStreams
{
    private readonly SpdyConnection _connection;
    private readonly Dictionary<string, SpdyStream> _streams;
    private readonly Task _running;

    private SpdyStreams(SpdyConnection connection, Dictionary<string, SpdyStream> streams, Task running)
        => (_connection, _streams, _running) = (connection, streams, running);

    public Stream Input => _streams.TryGetValue("stdin", out var stream) ? stream.Input : Stream.Null;

    /// <summary>Waits until the client has opened the streams that it asked for.</summary>
    public static async Task<SpdyStreams> OpenAsync(SpdyConnection connection, int count, CancellationToken cancellationToken)
    {
        var running = connection.RunAsync(cancellationToken);
        var streams = new Dictionary<string, SpdyStream>(StringComparer.Ordinal);
        while (streams.Count < count)
        {
            var stream = await connection.Opened.ReadAsync(cancellationToken).ConfigureAwait(false);
            streams[stream.Headers.GetValueOrDefault("streamtype", "")] = stream;
        }

        return new SpdyStreams(connection, streams, running);
    }

    public async Task RunAsync(Func<int, int, Task> resize, CancellationToken cancellationToken)
    {
        if (_streams.TryGetValue("resize", out var sizes))
        {
            _ = ReadSizesAsync(sizes.Input, resize, cancellationToken);
        }

        await _running.ConfigureAwait(false);
    }

    public Task WriteAsync(ClientStream stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var name = stream switch { ClientStream.Output => "stdout", ClientStream.Error => "stderr", _ => "error" };
        return _streams.TryGetValue(name, out var found) ? found.SendAsync(data, cancellationToken) : Task.CompletedTask;
    }

    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        foreach (var stream in _streams.Values)
        {
            await stream.CloseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static async Task ReadSizesAsync(Stream sizes, Func<int, int, Task> resize, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(sizes);
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            await TerminalSize.ReadAsync(Encoding.UTF8.GetBytes(line), resize).ConfigureAwait(false);
        }
    }
}

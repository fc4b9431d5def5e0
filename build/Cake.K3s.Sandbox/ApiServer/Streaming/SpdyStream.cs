using System.IO.Pipelines;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>A stream that the client opened on a SPDY connection.</summary>
internal sealed class SpdyStream
{
    private readonly SpdyConnection _connection;
    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: 0));

    public SpdyStream(SpdyConnection connection, uint id, IReadOnlyDictionary<string, string> headers)
    {
        (_connection, Id, Headers) = (connection, id, headers);
        Input = _input.Reader.AsStream();
    }

    public uint Id { get; }

    /// <summary>What the client says about the stream; names are in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>What the client sends.</summary>
    public Stream Input { get; }

    public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        => _connection.SendAsync(Id, data, last: false, cancellationToken);

    /// <summary>Says that nothing more comes from this side.</summary>
    public Task CloseAsync(CancellationToken cancellationToken) => _connection.SendAsync(Id, default, last: true, cancellationToken);

    public void Receive(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_input.Writer.GetSpan(data.Length));
        _input.Writer.Advance(data.Length);
        _ = _input.Writer.FlushAsync().AsTask();
    }

    public void EndInput() => _input.Writer.Complete();
}

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>The client's ends of an exec or attach, whatever the protocol.</summary>
internal interface IClientStreams : IAsyncDisposable
{
    /// <summary>What the client types; ends when it closes its end.</summary>
    Stream Input { get; }

    /// <summary>Reads what the client sends until it leaves.</summary>
    /// <param name="resize">Called with width and height when the client's terminal changes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task RunAsync(Func<int, int, Task> resize, CancellationToken cancellationToken);

    Task WriteAsync(ClientStream stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Closes the connection in an orderly way.</summary>
    Task CloseAsync(CancellationToken cancellationToken);
}

/// <summary>The streams that go to the client, by the numbers of the WebSocket protocol.</summary>
internal enum ClientStream : byte
{
    Output = 1,
    Error = 2,
    Status = 3,
}

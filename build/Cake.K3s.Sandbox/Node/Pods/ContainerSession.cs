using System.IO.Pipelines;
using Cake.K3s.Sandbox.ApiServer.Pods;
using Cake.K3s.Sandbox.Node.Engine;
using Docker.DotNet;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>An exec or attach on the engine, as the API server hands it to a client.</summary>
internal sealed class ContainerSession : IContainerSession
{
    private readonly MultiplexedStream _stream;
    private readonly Func<int, int, CancellationToken, Task> _resize;
    private readonly Func<CancellationToken, Task<int>> _exitCode;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _pump;

    /// <param name="stream">The engine's stream; owned.</param>
    /// <param name="stdin">Whether the client writes.</param>
    /// <param name="stdout">Whether the client reads the output.</param>
    /// <param name="stderr">Whether the client reads the errors.</param>
    /// <param name="resize">Sets the size of the terminal: width, height.</param>
    /// <param name="exitCode">Asked when the streams have ended.</param>
    public ContainerSession(
        MultiplexedStream stream,
        bool stdin,
        bool stdout,
        bool stderr,
        Func<int, int, CancellationToken, Task> resize,
        Func<CancellationToken, Task<int>> exitCode)
    {
        (_stream, _resize, _exitCode) = (stream, resize, exitCode);
        var output = stdout ? new Pipe() : null;
        var error = stderr ? new Pipe() : null;
        StandardInput = stdin ? new InputStream(stream) : null;
        StandardOutput = output?.Reader.AsStream();
        StandardError = error?.Reader.AsStream();
        _pump = PumpAsync(output?.Writer, error?.Writer);
    }

    public Stream? StandardInput { get; }

    public Stream? StandardOutput { get; }

    public Stream? StandardError { get; }

    public Task ResizeAsync(int width, int height, CancellationToken cancellationToken) => _resize(width, height, cancellationToken);

    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _pump.WaitAsync(cancellationToken);
        return await _exitCode(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stream.Dispose();
        await _pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task PumpAsync(PipeWriter? output, PipeWriter? error)
    {
        try
        {
            await ContainerStreams.CopyAsync(_stream, output?.AsStream(leaveOpen: true), error?.AsStream(leaveOpen: true), _stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has left, or the connection to the engine was cut: either way the streams end here.
        }
        finally
        {
            if (output is not null)
            {
                await output.CompleteAsync();
            }

            if (error is not null)
            {
                await error.CompleteAsync();
            }
        }
    }

    /// <summary>Writes to the process; disposing it closes the process's input and nothing else.</summary>
    private sealed class InputStream(MultiplexedStream target) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("Sessions are asynchronous.");

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            target.WriteAsync(buffer, offset, count, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await target.WriteAsync(buffer.ToArray(), 0, buffer.Length, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                target.CloseWrite();
            }

            base.Dispose(disposing);
        }
    }
}

using Docker.DotNet;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>Takes the engine's multiplexed stream apart into ordinary ones.</summary>
internal static class ContainerStreams
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Copies both outputs until they end, or so many bytes are through; an output that nobody wants is dropped.</summary>
    public static async Task CopyAsync(MultiplexedStream source, Stream? output, Stream? error, CancellationToken cancellationToken, long? limit = null)
    {
        var buffer = new byte[BufferSize];
        for (var left = limit ?? long.MaxValue; left > 0;)
        {
            var read = await source.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken);
            if (read.EOF)
            {
                return;
            }

            var target = read.Target == MultiplexedStream.TargetStream.StandardError ? error : output;
            var count = (int)Math.Min(read.Count, left);
            left -= limit is null ? 0 : count;
            if (target is not null)
            {
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await target.FlushAsync(cancellationToken);
            }
        }
    }
}

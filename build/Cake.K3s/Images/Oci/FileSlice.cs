using Microsoft.Win32.SafeHandles;

namespace Cake.K3s.Images.Oci;

/// <summary>A part of a file as a stream of its own, so that several parts can be read at the same time.</summary>
/// <param name="path">The file.</param>
/// <param name="start">Where the part begins, in bytes.</param>
/// <param name="length">Its length in bytes.</param>
/// <param name="read">Is told after each read how far it is.</param>
internal sealed class FileSlice(string path, long start, long length, Action<long>? read = null) : Stream
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, options: FileOptions.Asynchronous);
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(_file, buffer[..Wanted(buffer.Length)], start + _position);
        return Advance(count);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await RandomAccess.ReadAsync(_file, buffer[..Wanted(buffer.Length)], start + _position, cancellationToken);
        return Advance(count);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => _position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => length + offset,
    };

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Advance(int count)
    {
        _position += count;
        read?.Invoke(_position);
        return count;
    }

    private int Wanted(int room) => (int)Math.Min(room, Math.Max(0, length - _position));
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Cake.K3s.Sandbox.ApiServer.Streaming;

/// <summary>
/// The header blocks of SPDY/3: one zlib stream over the whole connection, which starts with a dictionary that both sides know.
/// .NET's inflater takes no dictionary; giving it the same bytes as a first, uncompressed block has the same effect.
/// </summary>
internal sealed class SpdyHeaders : IDisposable
{
    private readonly Feed _compressed = new();
    private readonly DeflateStream _inflater;
    private bool _started;
    private bool _replied;

    public SpdyHeaders() => _inflater = new DeflateStream(_compressed, CompressionMode.Decompress);

    /// <summary>Reads a block.</summary>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    public IReadOnlyDictionary<string, string> Read(ReadOnlySpan<byte> block)
    {
        if (!_started)
        {
            _started = true;
            var hasDictionary = (block[1] & 0x20) != 0;
            if (hasDictionary)
            {
                _compressed.Add(Stored(Dictionary));
                ReadFully(new byte[Dictionary.Length]);
            }

            block = block[(hasDictionary ? 6 : 2)..];
        }

        _compressed.Add(block.ToArray());
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var count = ReadNumber(); count > 0; count--)
        {
            var name = ReadText();
            headers[name.ToLowerInvariant()] = ReadText();
        }

        return headers;
    }

    /// <summary>A block without headers, in a zlib stream of uncompressed blocks; an empty one makes the reader hand out what it has.</summary>
    public byte[] WriteEmpty()
    {
        byte[] block = [.. Stored(new byte[4]), .. Stored([])];
        if (_replied)
        {
            return block;
        }

        _replied = true;
        return [0x78, 0x01, .. block];
    }

    public void Dispose()
    {
        _inflater.Dispose();
        _compressed.Dispose();
    }

    private static byte[] Stored(byte[] content)
    {
        var block = new byte[5 + content.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(1), (ushort)content.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(3), (ushort)~content.Length);
        content.CopyTo(block, 5);
        return block;
    }

    private int ReadNumber()
    {
        var bytes = new byte[4];
        ReadFully(bytes);
        var number = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return number is >= 0 and < 1 << 20 ? number : throw new InvalidDataException("a header block is not valid");
    }

    private string ReadText()
    {
        var bytes = new byte[ReadNumber()];
        ReadFully(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private void ReadFully(byte[] bytes)
    {
        var done = 0;
        while (done < bytes.Length)
        {
            var read = _inflater.Read(bytes.AsSpan(done));
            done += read > 0 ? read : throw new InvalidDataException("a header block ends too soon");
        }
    }

    /// <summary>The dictionary of the SPDY/3 specification: names of headers, each after its length, and common values.</summary>
    private static readonly byte[] Dictionary = MakeDictionary();

    private static byte[] MakeDictionary()
    {
        string[] names =
        [
            "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding", "accept-language", "accept-ranges",
            "age", "allow", "authorization", "cache-control", "connection", "content-base", "content-encoding", "content-language", "content-length",
            "content-location", "content-md5", "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host", "if-match",
            "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location", "max-forwards", "pragma",
            "proxy-authenticate", "proxy-authorization", "range", "referer", "retry-after", "server", "te", "trailer", "transfer-encoding",
            "upgrade", "user-agent", "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1",
            "url", "public", "set-cookie", "keep-alive", "origin",
        ];
        const string Values =
            "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
            + "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
            + "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,"
            + "text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,"
            + "deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
        using var result = new MemoryStream();
        foreach (var name in names)
        {
            result.Write([0, 0, 0, (byte)name.Length]);
            result.Write(Encoding.ASCII.GetBytes(name));
        }

        result.Write(Encoding.ASCII.GetBytes(Values));
        return result.ToArray();
    }

    /// <summary>A stream that is empty until more is put into it.</summary>
    private sealed class Feed : Stream
    {
        private readonly Queue<byte[]> _pieces = new();
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Add(byte[] piece) => _pieces.Enqueue(piece);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (!_pieces.TryPeek(out var piece))
            {
                return 0;
            }

            var count = Math.Min(buffer.Length, piece.Length - _at);
            piece.AsSpan(_at, count).CopyTo(buffer);
            _at += count;
            if (_at == piece.Length)
            {
                _pieces.Dequeue();
                _at = 0;
            }

            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

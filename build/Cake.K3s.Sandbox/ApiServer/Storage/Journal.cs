using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cake.K3s.Sandbox.ApiServer.Storage;

/// <summary>
/// The objects on disk: one file that only grows, and is rewritten with what still lives when most of it is history.
/// Each record is handed to the operating system before the client hears of success, so nothing is lost when the process is killed;
/// a rewrite is forced to the disk, single records are not (a power cut may take the last moments: this is a stage, not production).
/// </summary>
internal sealed class Journal : IDisposable
{
    private const string FileName = "objects.journal";
    private const int HeaderLength = 12;
    private readonly string _path;
    private readonly SafeFileHandle _lock;
    private SafeFileHandle _file;
    private long _length;

    private Journal(string path, SafeFileHandle fileLock, SafeFileHandle file, long length)
    {
        _path = path;
        _lock = fileLock;
        _file = file;
        _length = length;
    }

    /// <summary>Bytes in the file.</summary>
    public long Length => _length;

    /// <summary>Opens the journal of a directory, made with mode 700 if need be, and tells what is in it.</summary>
    /// <exception cref="IOException">Another process has it open.</exception>
    public static Journal Open(string directory, Action<JournalRecord> replay)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var fileLock = File.OpenHandle(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var path = Path.Combine(directory, FileName);
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var length = Replay(path, replay);
        RandomAccess.SetLength(file, length);
        return new Journal(path, fileLock, file, length);
    }

    /// <summary>Adds records in one write.</summary>
    public void Append(JournalRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(record.Json.Length + 256);
        Encode(record, buffer);
        RandomAccess.Write(_file, buffer.WrittenSpan, _length);
        _length += buffer.WrittenCount;
    }

    /// <summary>Replaces the file by one with these records only; a crash at any point leaves one of the two.</summary>
    public void Rewrite(IEnumerable<JournalRecord> records)
    {
        var next = _path + ".next";
        var file = File.OpenHandle(next, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        long length = 0;
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        foreach (var record in records)
        {
            Encode(record, buffer);
            if (buffer.WrittenCount > 1 << 20)
            {
                RandomAccess.Write(file, buffer.WrittenSpan, length);
                length += buffer.WrittenCount;
                buffer.ResetWrittenCount();
            }
        }

        RandomAccess.Write(file, buffer.WrittenSpan, length);
        length += buffer.WrittenCount;
        RandomAccess.FlushToDisk(file);
        File.Move(next, _path, overwrite: true);
        _file.Dispose();
        (_file, _length) = (file, length);
    }

    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    private static void Encode(JournalRecord record, ArrayBufferWriter<byte> output)
    {
        var key = Encoding.UTF8.GetBytes(string.Join('\0', record.Key.Resource, record.Key.Namespace, record.Key.Name));
        var body = 8 + 4 + key.Length + record.Json.Length;
        var span = output.GetSpan(HeaderLength + body)[..(HeaderLength + body)];
        BinaryPrimitives.WriteInt32LittleEndian(span, body);
        var content = span[HeaderLength..];
        BinaryPrimitives.WriteInt64LittleEndian(content, record.ResourceVersion);
        BinaryPrimitives.WriteInt32LittleEndian(content[8..], key.Length);
        key.CopyTo(content[12..]);
        record.Json.Span.CopyTo(content[(12 + key.Length)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(span[4..], XxHash3.HashToUInt64(content));
        output.Advance(HeaderLength + body);
    }

    /// <summary>Reads up to the first record that is torn, which is cut off: it was never acknowledged.</summary>
    private static long Replay(string path, Action<JournalRecord> replay)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
        var total = stream.Length;
        Span<byte> header = stackalloc byte[HeaderLength];
        long good = 0;
        while (stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) == HeaderLength)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length < 12 || good + HeaderLength + length > total)
            {
                break;
            }

            var body = new byte[length];
            stream.ReadExactly(body);
            if (XxHash3.HashToUInt64(body) != BinaryPrimitives.ReadUInt64LittleEndian(header[4..]))
            {
                break;
            }

            var keyLength = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(8));
            var key = Encoding.UTF8.GetString(body, 12, keyLength).Split('\0');
            replay(new JournalRecord(BinaryPrimitives.ReadInt64LittleEndian(body), new ObjectKey(key[0], key[1], key[2]), body.AsMemory(12 + keyLength)));
            good += HeaderLength + length;
        }

        return good;
    }
}

/// <summary>A new state of an object, or its end when <paramref name="Json"/> is empty.</summary>
internal readonly record struct JournalRecord(long ResourceVersion, ObjectKey Key, ReadOnlyMemory<byte> Json);

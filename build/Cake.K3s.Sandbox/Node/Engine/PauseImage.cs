using System.Buffers.Binary;
using System.Formats.Tar;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>
/// The image of the container that holds a pod's network: a program that does nothing but sleep. It is put together here, because no
/// registry can be counted on to have one: an ELF header and a loop around one system call.
/// </summary>
internal static class PauseImage
{
    private const int HeaderLength = 64 + 56;
    private const ulong LoadAddress = 0x400000;

    // mov eax, 34 (pause); syscall; jmp back
    private static readonly byte[] X64 = [0xB8, 0x22, 0x00, 0x00, 0x00, 0x0F, 0x05, 0xEB, 0xF7];

    // mov x0..x4, #0; mov x8, #73 (ppoll, without file descriptors or a timeout); svc #0; b back
    private static readonly byte[] Arm64 =
    [
        0x00, 0x00, 0x80, 0xD2, 0x01, 0x00, 0x80, 0xD2, 0x02, 0x00, 0x80, 0xD2, 0x03, 0x00, 0x80, 0xD2,
        0x04, 0x00, 0x80, 0xD2, 0x28, 0x09, 0x80, 0xD2, 0x01, 0x00, 0x00, 0xD4, 0xF9, 0xFF, 0xFF, 0x17,
    ];

    /// <summary>A root file system for the engine's architecture, as <c>docker import</c> takes it.</summary>
    public static async Task<Stream> RootFileSystemAsync(string architecture, CancellationToken cancellationToken)
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            var entry = new PaxTarEntry(TarEntryType.RegularFile, "pause")
            {
                DataStream = new MemoryStream(Program(architecture)),
                Mode = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
                    | UnixFileMode.OtherRead | UnixFileMode.OtherExecute,
            };
            await writer.WriteEntryAsync(entry, cancellationToken);
        }

        tar.Position = 0;
        return tar;
    }

    /// <summary>A static executable of one segment (System V ABI, ELF-64).</summary>
    internal static byte[] Program(string architecture)
    {
        var (machine, code) = architecture switch
        {
            "x86_64" or "amd64" => (0x3E, X64),
            "aarch64" or "arm64" => (0xB7, Arm64),
            _ => throw new NotSupportedException($"The sandbox runs pods on amd64 and arm64 engines, not on {architecture}."),
        };
        var file = new byte[HeaderLength + code.Length];
        var header = file.AsSpan();
        ReadOnlySpan<byte> identification = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], (ushort)machine);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], LoadAddress + HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);

        var segment = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 5);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], LoadAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], LoadAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        code.CopyTo(header[HeaderLength..]);
        return file;
    }
}

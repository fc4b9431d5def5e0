using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Cake.K3s.Sandbox.Network;

/// <summary>The question of a DNS query, as far as the cluster's zone needs it (RFC 1035).</summary>
/// <param name="Id">Repeated in the answer.</param>
/// <param name="RecursionDesired">Repeated in the answer.</param>
/// <param name="Name">In lower case, without the final dot.</param>
/// <param name="Type">1 A, 28 AAAA, 33 SRV and so on.</param>
/// <param name="Raw">The bytes of the question, repeated in the answer.</param>
internal sealed record DnsQuestion(ushort Id, bool RecursionDesired, string Name, ushort Type, byte[] Raw)
{
    private const int HeaderLength = 12;

    /// <summary>Reads a query; null for anything that is not one plain question.</summary>
    public static DnsQuestion? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength || (message[2] & 0xF8) != 0 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return null;
        }

        var name = new StringBuilder();
        var at = HeaderLength;
        while (at < message.Length && message[at] != 0)
        {
            var length = message[at];
            if (length > 63 || at + 1 + length >= message.Length)
            {
                return null;
            }

            name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(message.Slice(at + 1, length)));
            at += 1 + length;
        }

        return at + 5 > message.Length ? null : new(
            BinaryPrimitives.ReadUInt16BigEndian(message),
            (message[2] & 1) != 0,
            name.ToString().ToLowerInvariant(),
            BinaryPrimitives.ReadUInt16BigEndian(message[(at + 1)..]),
            message[HeaderLength..(at + 5)].ToArray());
    }
}

/// <summary>One record of an answer; its name is that of the question.</summary>
internal sealed record DnsRecord(ushort Type, byte[] Data)
{
    public const ushort A = 1;
    public const ushort CanonicalName = 5;
    public const ushort Service = 33;

    public static DnsRecord Address(IPAddress address) => new(A, address.GetAddressBytes());

    public static DnsRecord Alias(string name) => new(CanonicalName, Name(name));

    public static DnsRecord Port(int port, string host) => new(Service, [0, 0, 0, 100, (byte)(port >> 8), (byte)port, .. Name(host)]);

    private static byte[] Name(string name) =>
        [.. name.TrimEnd('.').Split('.').SelectMany(label => new[] { (byte)label.Length }.Concat(Encoding.ASCII.GetBytes(label))), 0];
}

/// <summary>Writes answers.</summary>
internal static class DnsAnswer
{
    public const int NoError = 0;
    public const int ServerFailure = 2;
    public const int NoSuchName = 3;
    private const int Ttl = 5;

    public static byte[] Write(DnsQuestion question, int code, IReadOnlyList<DnsRecord> records)
    {
        var answer = new List<byte>
        {
            (byte)(question.Id >> 8), (byte)question.Id,

            // Response, authoritative, recursion as desired; recursion available, the code.
            (byte)(0x84 | (question.RecursionDesired ? 1 : 0)), (byte)(0x80 | code),
            0, 1, (byte)(records.Count >> 8), (byte)records.Count, 0, 0, 0, 0,
        };
        answer.AddRange(question.Raw);
        foreach (var record in records)
        {
            // The name is a pointer to the question's, at offset 12.
            answer.AddRange([0xC0, 12, (byte)(record.Type >> 8), (byte)record.Type, 0, 1, 0, 0, 0, Ttl, (byte)(record.Data.Length >> 8), (byte)record.Data.Length]);
            answer.AddRange(record.Data);
        }

        return [.. answer];
    }
}

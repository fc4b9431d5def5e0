using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cake.K3s.Tests.Telemetry;

/// <summary>A small collector: takes OTLP over HTTP on a free port of loopback, and reads the spans out of its protobuf form.</summary>
internal sealed class OtlpCollector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly TaskCompletionSource _release = new();

    public OtlpCollector(HttpStatusCode status = HttpStatusCode.OK, bool hangs = false)
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        Received = ReceiveAsync(status, hangs);
    }

    public string Address { get; }

    /// <summary>The first request.</summary>
    public Task<OtlpRequest> Received { get; }

    public void Dispose()
    {
        _release.TrySetResult();
        _listener.Close();
    }

    private async Task<OtlpRequest> ReceiveAsync(HttpStatusCode status, bool hangs)
    {
        var context = await _listener.GetContextAsync();
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        if (hangs)
        {
            await _release.Task;
        }

        context.Response.StatusCode = (int)status;
        context.Response.Close();
        return new(context.Request.Url!.AbsolutePath, context.Request.ContentType, body.ToArray());
    }
}

/// <summary>One export request.</summary>
internal sealed record OtlpRequest(string Path, string? ContentType, byte[] Body)
{
    /// <summary>The spans: ExportTraceServiceRequest.resource_spans.scope_spans.spans of opentelemetry/proto/trace/v1.</summary>
    public IReadOnlyList<OtlpSpan> Spans =>
    [
        .. from resource in Fields(Body) where resource.Number == 1
           from scope in Fields(resource.Bytes) where scope.Number == 2
           from span in Fields(scope.Bytes) where span.Number == 2
           select OtlpSpan.Of([.. Fields(span.Bytes)]),
    ];

    /// <summary>Whether a text is anywhere in it.</summary>
    public bool Contains(string text) => Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    internal static IEnumerable<(int Number, byte[] Bytes)> Fields(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var length = (int)(key & 7) switch { 1 => 8, 5 => 4, 2 => (int)Varint(message, ref at), _ => 0 };
            if ((key & 7) == 0)
            {
                yield return ((int)(key >> 3), BitConverter.GetBytes(Varint(message, ref at)));
                continue;
            }

            yield return ((int)(key >> 3), message[at..(at + length)]);
            at += length;
        }
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(message[at] & 0x7f) << shift;
            if (message[at++] < 0x80)
            {
                return value;
            }
        }
    }
}

/// <summary>One span.</summary>
internal sealed record OtlpSpan(string Name, string Id, string Parent, TimeSpan Duration, IReadOnlyDictionary<string, string> Attributes, bool Failed)
{
    public static OtlpSpan Of(IReadOnlyList<(int Number, byte[] Bytes)> fields)
    {
        byte[] Field(int number) => fields.Where(field => field.Number == number).Select(field => field.Bytes).FirstOrDefault([]);
        var nanoseconds = BinaryPrimitives.ReadUInt64LittleEndian(Field(8)) - BinaryPrimitives.ReadUInt64LittleEndian(Field(7));
        var attributes = fields.Where(field => field.Number == 9).Select(field => OtlpRequest.Fields(field.Bytes).ToList()).ToDictionary(
            pair => Encoding.UTF8.GetString(pair[0].Bytes),
            pair => OtlpRequest.Fields(pair[1].Bytes).Select(value => value.Number == 1 ? Encoding.UTF8.GetString(value.Bytes) : BitConverter.ToInt64(value.Bytes).ToString()).Single());
        return new(
            Encoding.UTF8.GetString(Field(5)), Convert.ToHexString(Field(2)), Convert.ToHexString(Field(4)), TimeSpan.FromTicks((long)(nanoseconds / 100)), attributes,
            OtlpRequest.Fields(Field(15)).Any(status => status.Number == 3 && status.Bytes[0] == 2));
    }
}

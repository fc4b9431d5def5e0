using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.IntegrationTests.Kubernetes.Backups;

/// <summary>
/// Stands in for a bucket that speaks S3, since no such server can be had here. It checks every signature (AWS Signature Version 4) and
/// the content's checksum, as the services do, and lets one key write only.
/// </summary>
internal sealed class StandInBucket : IAsyncDisposable
{
    public const string Bucket = "backups";
    public const string Region = "test-1";
    public const string Operator = "operator-id";

    private const string Writer = "writer-id";

    private static readonly XNamespace Xml = "http://s3.amazonaws.com/doc/2006-03-01/";
    private readonly WebApplication _app;

    private StandInBucket(WebApplication app) => _app = app;

    public string Endpoint => new Uri(_app.Urls.Single()).GetLeftPart(UriPartial.Authority);

    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    /// <summary>How many requests are answered with 503 before the next one is taken.</summary>
    public int Faults { get; set; }

    /// <summary>A key, by its id.</summary>
    public static string KeyOf(string id) => "secret-key-of-" + id;

    /// <summary>Writes both keys and the age identity into files of a directory, where the settings look for them.</summary>
    public static void WriteKeys(string directory)
    {
        File.WriteAllText(Path.Combine(directory, "identity"), BackupKeys.Identity);
        foreach (var id in (string[])[Writer, Operator])
        {
            File.WriteAllText(Path.Combine(directory, id), id);
            File.WriteAllText(Path.Combine(directory, id + ".key"), KeyOf(id));
        }
    }

    /// <summary>Backups into this bucket, with the keys of a directory.</summary>
    public BackupSettings Settings(string directory)
    {
        WriteKeys(directory);
        return new()
        {
            Image = "registry.example/backup@sha256:1",
            Recipient = BackupKeys.Recipient,
            Identity = new() { File = Path.Combine(directory, "identity") },
            Storage = new() { Endpoint = Endpoint, Region = Region, Bucket = Bucket, Writer = Key(Writer), Operator = Key(Operator) },
        };

        StorageKeySettings Key(string id) => new() { Id = new() { File = Path.Combine(directory, id) }, Key = new() { File = Path.Combine(directory, id + ".key") } };
    }

    /// <summary>The same as an environment's part of a deploy.yaml in that directory.</summary>
    public string Yaml(string image) => $$"""
            backup:
              image: {{image}}
              recipient: {{BackupKeys.Recipient}}
              identity: {file: identity}
              storage:
                endpoint: {{Endpoint}}
                region: {{Region}}
                bucket: {{Bucket}}
                writer: {id: {file: {{Writer}}}, key: {file: {{Writer}}.key} }
                operator: {id: {file: {{Operator}}}, key: {file: {{Operator}}.key} }

        """;

    /// <summary>Starts it.</summary>
    /// <param name="address">An address of this machine that pods reach.</param>
    public static async Task<StandInBucket> StartAsync(IPAddress address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address, 0));
        var bucket = new StandInBucket(builder.Build());
        bucket._app.Run(bucket.AnswerAsync);
        await bucket._app.StartAsync();
        return bucket;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (Faults-- > 0)
        {
            context.Response.StatusCode = 503;
            return;
        }

        var (status, answer) = Answer(context.Request, body.ToArray());
        context.Response.StatusCode = status;
        await context.Response.BodyWriter.WriteAsync(answer);
    }

    private (int Status, byte[] Body) Answer(HttpRequest request, byte[] body)
    {
        if (Signer(request, body) is not { } id)
        {
            return Error(403, "SignatureDoesNotMatch");
        }

        if (request.Path.Value!.TrimStart('/').Split('/', 2) is not [Bucket, .. var rest])
        {
            return Error(404, "NoSuchBucket");
        }

        var key = rest is [var name] ? name : "";
        switch (request.Method)
        {
            case "PUT":
                Objects[key] = body;
                return (200, []);
            case not "PUT" when id == Writer:
                return Error(403, "AccessDenied");
            case "DELETE":
                Objects.TryRemove(key, out _);
                return (204, []);
            case "GET" when request.Query["list-type"] == "2":
                return (200, Listing(request.Query["prefix"].ToString()));
            case "GET" when Objects.TryGetValue(key, out var found):
                return (200, found);
            default:
                return Error(404, "NoSuchKey");
        }
    }

    private byte[] Listing(string prefix) => Encoding.UTF8.GetBytes(new XElement(
        Xml + "ListBucketResult",
        new XElement(Xml + "Name", Bucket),
        new XElement(Xml + "IsTruncated", "false"),
        Objects.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(item => new XElement(
            Xml + "Contents",
            new XElement(Xml + "Key", item.Key),
            new XElement(Xml + "LastModified", "2026-01-01T00:00:00.000Z"),
            new XElement(Xml + "Size", item.Value.Length)))).ToString());

    private static (int, byte[]) Error(int status, string code) =>
        (status, Encoding.UTF8.GetBytes(new XElement("Error", new XElement("Code", code), new XElement("Message", code)).ToString()));

    /// <summary>Whose key signed the request; null where the signature or the checksum is wrong.</summary>
    private static string? Signer(HttpRequest request, byte[] body)
    {
        // AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/s3/aws4_request, SignedHeaders=a;b, Signature=HEX
        var fields = request.Headers.Authorization.ToString().Replace("AWS4-HMAC-SHA256", "", StringComparison.Ordinal)
            .Split(',', StringSplitOptions.TrimEntries).Select(field => field.Split('=', 2)).Where(field => field.Length == 2)
            .ToDictionary(field => field[0], field => field[1]);
        if (!fields.TryGetValue("Credential", out var credential) || credential.Split('/') is not [var id, var date, Region, "s3", "aws4_request"])
        {
            return null;
        }

        var checksum = request.Headers["x-amz-content-sha256"].ToString();
        if (checksum != Hex(SHA256.HashData(body)))
        {
            return null;
        }

        var names = fields["SignedHeaders"].Split(';');
        var query = string.Join('&', request.Query.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value.ToString())}"));
        var canonical = string.Join('\n',
        [
            request.Method,
            new Uri(request.GetEncodedUrl()).AbsolutePath,
            query,
            .. names.Select(name => $"{name}:{request.Headers[name].ToString().Trim()}"),
            "",
            fields["SignedHeaders"],
            checksum,
        ]);
        var scope = $"{date}/{Region}/s3/aws4_request";
        var text = $"AWS4-HMAC-SHA256\n{request.Headers["x-amz-date"]}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = new[] { date, Region, "s3", "aws4_request" }.Aggregate(
            Encoding.UTF8.GetBytes("AWS4" + KeyOf(id)), (current, part) => HMACSHA256.HashData(current, Encoding.UTF8.GetBytes(part)));
        return Hex(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text))) == fields["Signature"] ? id : null;
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}

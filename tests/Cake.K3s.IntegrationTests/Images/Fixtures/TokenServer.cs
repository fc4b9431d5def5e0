using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>
/// Issues tokens that the real registry verifies (distribution spec, auth/jwt): to one user, for what was asked for. Each is
/// good for a second only, whatever the client is told.
/// </summary>
internal sealed class TokenServer : IAsyncDisposable
{
    // What the registry grants beyond a token's end, against clocks that differ (distribution, registry/auth/token, Leeway).
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly WebApplication _app;
    private int _issued;

    private TokenServer()
    {
        var request = new CertificateRequest("CN=tokens", _key, HashAlgorithmName.SHA256);
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapGet("/token", Answer);
    }

    /// <summary>How many tokens were issued.</summary>
    public int Issued => _issued;

    /// <summary>The registry's part of it.</summary>
    public string Configuration =>
        $"auth: {{token: {{realm: \"{_app.Urls.First()}/token\", service: test, issuer: tess, rootcertbundle: {_directory.Write("tokens.pem", _certificate.ExportCertificatePem())}}}}}";

    public static async Task<TokenServer> StartAsync()
    {
        var server = new TokenServer();
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
        _key.Dispose();
        _directory.Dispose();
    }

    private IResult Answer(HttpContext context, string service, string[] scope)
    {
        if (context.Request.Headers.Authorization != RegistryServer.BasicAuthorization)
        {
            return Results.Unauthorized();
        }

        Interlocked.Increment(ref _issued);
        var now = DateTimeOffset.UtcNow;
        var access = scope.Select(one => one.Split(':')).Select(parts => (JsonNode)new JsonObject
        {
            ["type"] = parts[0],
            ["name"] = parts[1],
            ["actions"] = new JsonArray([.. parts[2].Split(',').Select(action => (JsonNode)action)]),
        });
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new JsonArray(Convert.ToBase64String(_certificate.RawData)) };
        var claims = new JsonObject
        {
            ["iss"] = "tess",
            ["sub"] = RegistryServer.User,
            ["aud"] = service,
            ["exp"] = (now - Leeway).AddSeconds(1).ToUnixTimeSeconds(),
            ["nbf"] = now.AddMinutes(-5).ToUnixTimeSeconds(),
            ["iat"] = now.AddMinutes(-5).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
            ["access"] = new JsonArray([.. access]),
        };
        var signed = Encoded(header) + "." + Encoded(claims);
        var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Results.Text(JsonSerializer.Serialize(new { token = $"{signed}.{Base64Url.EncodeToString(signature)}", expires_in = 300 }), "application/json");
    }

    private static string Encoded(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Tokens of service accounts: JSON Web Tokens that only this server makes and accepts.</summary>
internal sealed class ServiceAccountTokens(ObjectStore store, ApiServerOptions options)
{
    private const string Issuer = "https://kubernetes.default.svc.cluster.local";
    private static readonly string Header = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8);
    private readonly Lazy<byte[]> _key = new(() => ReadKey(options.StateDirectory));

    /// <summary>Answers a <c>TokenRequest</c>.</summary>
    /// <exception cref="ApiException">There is no such account.</exception>
    public JsonObject Issue(ResourceDefinition accounts, ObjectKey key, JsonObject request)
    {
        var account = store.Find(key) ?? throw ApiErrors.NotFound(accounts, key.Name);
        var spec = request.Ensure("spec");
        var now = options.Clock.GetUtcNow();
        var seconds = Math.Clamp(spec.Integer("expirationSeconds") ?? 3600, 600, 1L << 32);
        var audiences = spec.List("audiences") is { Count: > 0 } asked ? (JsonArray)asked.DeepClone() : [Issuer];
        spec["expirationSeconds"] = seconds;
        spec["audiences"] = audiences.DeepClone();
        var claims = new JsonObject
        {
            ["aud"] = audiences,
            ["exp"] = now.AddSeconds(seconds).ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["iss"] = Issuer,
            ["sub"] = $"system:serviceaccount:{key.Namespace}:{key.Name}",
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = key.Namespace,
                ["serviceaccount"] = new JsonObject { ["name"] = key.Name, ["uid"] = account.Shared.Uid() },
            },
        };
        var body = $"{Header}.{Base64Url.EncodeToString(JsonBody.Write(claims))}";
        request["status"] = new JsonObject
        {
            ["token"] = $"{body}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key.Value, Encoding.ASCII.GetBytes(body)))}",
            ["expirationTimestamp"] = ObjectAccess.Rfc3339(now.AddSeconds(seconds)),
        };
        var metadata = request.Metadata();
        metadata["name"] = key.Name;
        metadata["namespace"] = key.Namespace;
        metadata["creationTimestamp"] = ObjectAccess.Rfc3339(now);
        return request;
    }

    /// <summary>The account of a token that this server made, that has not expired and whose account still exists; else null.</summary>
    public ApiUser? Authenticate(string token)
    {
        if (token.Split('.') is not [var header, var body, var signature] || header != Header)
        {
            return null;
        }

        try
        {
            var expected = HMACSHA256.HashData(_key.Value, Encoding.ASCII.GetBytes($"{header}.{body}"));
            if (!CryptographicOperations.FixedTimeEquals(expected, Base64Url.DecodeFromChars(signature)))
            {
                return null;
            }

            var claims = JsonBody.ReadObject(Base64Url.DecodeFromChars(body));
            var account = claims.Object("kubernetes.io", "serviceaccount");
            var inNamespace = claims.Object("kubernetes.io").Text("namespace") ?? "";
            var name = account.Text("name") ?? "";
            var alive = store.Find(new ObjectKey("serviceaccounts", inNamespace, name))?.Shared.Uid() == account.Text("uid");
            return alive && claims.Integer("exp") > options.Clock.GetUtcNow().ToUnixTimeSeconds()
                ? new ApiUser($"system:serviceaccount:{inNamespace}:{name}",
                    ["system:serviceaccounts", $"system:serviceaccounts:{inNamespace}", "system:authenticated"])
                : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }

    private static byte[] ReadKey(string directory)
    {
        var path = Path.Combine(directory, "serviceaccounts.key");
        if (File.Exists(path))
        {
            return File.ReadAllBytes(path);
        }

        var key = RandomNumberGenerator.GetBytes(32);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(key);
        return key;
    }
}

using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>The objects in the cluster. Builds them; applies nothing.</summary>
/// <param name="ns">The app's namespace.</param>
/// <param name="settings">What deploy.yaml says.</param>
internal sealed class OriginTlsObjects(string ns, OriginTlsSettings settings)
{
    /// <summary>The name of what asks for Cloudflare's certificate.</summary>
    public const string Pulls = "origin-pulls";

    private const string OptionsAnnotation = "traefik.ingress.kubernetes.io/router.tls.options";

    /// <summary>Traefik's options of TLS.</summary>
    public static GroupVersionKind OptionsType { get; } = new("traefik.io", "v1alpha1", "TLSOption");

    /// <summary>The Secret of the nodes' certificate.</summary>
    public ObjectKey CertificateKey => new(new("", "v1", "Secret"), ns, settings.Secret);

    /// <summary>The Secret of Cloudflare's certificate.</summary>
    public ObjectKey PullsKey => new(new("", "v1", "Secret"), ns, Pulls);

    /// <summary>Reads the pair of a Secret.</summary>
    public static KeyPair? PairOf(JsonObject? secret) => KeyPair.Parse(Text(secret, "tls.crt"), Text(secret, "tls.key"), Text(secret, "ca.crt"));

    /// <summary>A Secret with a pair.</summary>
    public JsonObject Secret(ObjectKey key, KeyPair pair)
    {
        var data = new JsonObject { ["tls.crt"] = Encode(pair.Certificate), ["tls.key"] = Encode(pair.Key) };
        if (pair.Authority is { } authority)
        {
            data["ca.crt"] = Encode(authority);
        }

        return new() { ["apiVersion"] = "v1", ["kind"] = "Secret", ["metadata"] = Metadata(key.Name), ["type"] = "kubernetes.io/tls", ["data"] = data };
    }

    /// <summary>The hosts of an Ingress answer with the certificate, and where Cloudflare is asked for one with those options.</summary>
    public JsonObject Ingress(JsonObject ingress, bool asks)
    {
        var metadata = Metadata(ingress.ObjectName()!);
        if (asks)
        {
            metadata["annotations"] = new JsonObject { [OptionsAnnotation] = $"{ns}-{Pulls}@kubernetescrd" };
        }

        return new()
        {
            ["apiVersion"] = "networking.k8s.io/v1",
            ["kind"] = "Ingress",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["tls"] = new JsonArray(new JsonObject
                {
                    ["hosts"] = new JsonArray([.. HostNames.Of(ingress).Select(host => JsonValue.Create(host))]),
                    ["secretName"] = settings.Secret,
                }),
            },
        };
    }

    /// <summary>Asks for a certificate.</summary>
    /// <param name="required">Whether a connection without one is refused.</param>
    public JsonObject Options(bool required) => new()
    {
        ["apiVersion"] = OptionsType.ApiVersion,
        ["kind"] = OptionsType.Kind,
        ["metadata"] = Metadata(Pulls),
        ["spec"] = new JsonObject
        {
            ["clientAuth"] = new JsonObject
            {
                ["secretNames"] = new JsonArray(Pulls),
                ["clientAuthType"] = required ? "RequireAndVerifyClientCert" : "VerifyClientCertIfGiven",
            },
        },
    };

    /// <summary>All of them, in the order in which they are applied.</summary>
    public ImmutableArray<JsonObject> All(IEnumerable<JsonObject> ingresses, KeyPair? certificate, KeyPair? pulls, bool? required)
    {
        var objects = ImmutableArray.CreateBuilder<JsonObject>();
        if (certificate is not null)
        {
            objects.Add(Secret(CertificateKey, certificate));
        }

        if (required is { } isRequired)
        {
            if (pulls is not null)
            {
                objects.Add(Secret(PullsKey, pulls));
            }

            objects.Add(Options(isRequired));
        }

        objects.AddRange(ingresses.Select(ingress => Ingress(ingress, required is not null)));
        return objects.ToImmutable();
    }

    private JsonObject Metadata(string name) => new() { ["name"] = name, ["namespace"] = ns };

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string? Text(JsonObject? secret, string key)
    {
        try
        {
            return secret.Text("data", key) is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;
        }
        catch (FormatException)
        {
            return null; // Not made here: it is replaced.
        }
    }
}

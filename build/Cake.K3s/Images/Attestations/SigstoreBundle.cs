using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Images.Attestations;

/// <summary>
/// The wrapping in which cosign 3 keeps a signed statement: Sigstore's bundle (sigstore/protobuf-specs, sigstore_bundle.proto),
/// with the key named by its fingerprint and without a transparency log's entry.
/// </summary>
internal static class SigstoreBundle
{
    /// <summary>The bundle's media type, which is its version as well.</summary>
    public const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    private const string Envelope = "dsseEnvelope";

    /// <summary>Wraps a statement that was signed with a key.</summary>
    public static byte[] Of(Attestation statement, PublicKey key) => Encoding.UTF8.GetBytes(
        new JsonObject
        {
            ["mediaType"] = MediaType,
            ["verificationMaterial"] = new JsonObject { ["publicKey"] = new JsonObject { ["hint"] = Convert.ToBase64String(Convert.FromHexString(key.Fingerprint.Hex)) } },
            [Envelope] = JsonNode.Parse(statement.Envelope),
        }.ToJsonString());

    /// <summary>The statement in a bundle; null if it holds none.</summary>
    public static Attestation? TryRead(byte[] bundle)
    {
        try
        {
            return (JsonNode.Parse(bundle) as JsonObject)?[Envelope] is JsonObject envelope ? new(Encoding.UTF8.GetBytes(envelope.ToJsonString())) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

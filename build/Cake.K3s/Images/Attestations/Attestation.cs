using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Cake.K3s.Images.Attestations;

/// <summary>
/// A signed statement about an image: an in-toto statement in a DSSE envelope, as cosign attaches it. The signature is over
/// <see cref="SigningInput"/>, so that a key that signs files (<c>cosign sign-blob</c>) makes it before any registry is asked.
/// </summary>
/// <param name="Envelope">The envelope's bytes.</param>
internal sealed record Attestation(byte[] Envelope)
{
    /// <summary>How the image was built (slsa.dev/spec/v1.0/provenance).</summary>
    public const string ProvenanceType = "https://slsa.dev/provenance/v1";

    /// <summary>What is in the image, in SPDX.</summary>
    public const string BillOfMaterialsType = "https://spdx.dev/Document";

    /// <summary>Nothing but that the image is signed: cosign 3's form of a signature.</summary>
    public const string SignatureType = "https://sigstore.dev/cosign/sign/v1";

    private const string StatementType = "https://in-toto.io/Statement/v1";
    private const string PayloadType = "application/vnd.in-toto+json";

    /// <summary>The tag under which cosign looks for the attestations of a manifest.</summary>
    public static string TagOf(Digest digest) => $"sha256-{digest.Hex}.att";

    /// <summary>What the statement says that it is about, verified or not; null if it is no statement about one thing.</summary>
    public InTotoSubject? Subject
    {
        get
        {
            try
            {
                return JsonSerializer.Deserialize(Envelope, AttestationJson.Default.DsseEnvelope) is { PayloadType: PayloadType } envelope
                    && JsonSerializer.Deserialize(envelope.Payload, AttestationJson.Default.InTotoStatement)?.Subject is [var only]
                    ? only
                    : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }

    /// <summary>A statement about one manifest.</summary>
    /// <param name="repository">Registry and repository of the image.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="predicateType">What kind of statement it is.</param>
    /// <param name="predicate">What is stated.</param>
    /// <param name="annotations">What else is said of the image, by name; null for nothing.</param>
    public static byte[] Statement(string repository, Digest digest, string predicateType, JsonNode predicate, IReadOnlyDictionary<string, string>? annotations = null)
    {
        var subject = new JsonObject { ["name"] = repository, ["digest"] = new JsonObject { ["sha256"] = digest.Hex } };
        if (annotations is not null)
        {
            subject["annotations"] = new JsonObject(annotations.Select(annotation => KeyValuePair.Create(annotation.Key, (JsonNode?)annotation.Value)));
        }

        var statement = new JsonObject
        {
            ["_type"] = StatementType,
            ["subject"] = new JsonArray(subject),
            ["predicateType"] = predicateType,
            ["predicate"] = predicate.DeepClone(),
        };
        return Encoding.UTF8.GetBytes(statement.ToJsonString());
    }

    /// <summary>What is signed (DSSE's pre-authentication encoding): so that no statement can pass for another kind of document.</summary>
    public static byte[] SigningInput(byte[] statement) =>
        [.. Encoding.UTF8.GetBytes($"DSSEv1 {PayloadType.Length} {PayloadType} {statement.Length} "), .. statement];

    /// <summary>Puts a statement and its signature together.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="signature">The signature over <see cref="SigningInput"/>, in base64.</param>
    public static Attestation Of(byte[] statement, string signature) => new(Encoding.UTF8.GetBytes(
        new JsonObject
        {
            ["payloadType"] = PayloadType,
            ["payload"] = Convert.ToBase64String(statement),
            ["signatures"] = new JsonArray(new JsonObject { ["keyid"] = "", ["sig"] = signature }),
        }.ToJsonString()));

    /// <summary>Reads the statement if one of the keys signed it, about exactly this manifest.</summary>
    /// <returns>Its type and what it states; null if it is not signed so, or no statement.</returns>
    public (string PredicateType, JsonNode Predicate)? Read(Digest digest, params IEnumerable<PublicKey> keys)
    {
        try
        {
            if (JsonSerializer.Deserialize(Envelope, AttestationJson.Default.DsseEnvelope) is not { PayloadType: PayloadType } envelope)
            {
                return null;
            }

            var input = SigningInput(envelope.Payload);
            if (!keys.Any(key => envelope.Signatures.Any(signature => key.Verifies(input, signature.Value))))
            {
                return null;
            }

            var statement = JsonSerializer.Deserialize(envelope.Payload, AttestationJson.Default.InTotoStatement)!;
            return statement.Subject.Any(subject => subject.Digest.GetValueOrDefault("sha256") == digest.Hex)
                ? (statement.PredicateType, statement.Predicate)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A DSSE envelope (github.com/secure-systems-lab/dsse, envelope.md).</summary>
internal sealed record DsseEnvelope
{
    public required string PayloadType { get; init; }

    public required byte[] Payload { get; init; }

    public required ImmutableArray<DsseSignature> Signatures { get; init; }
}

/// <summary>One signature of an envelope.</summary>
internal sealed record DsseSignature([property: JsonPropertyName("sig"), JsonRequired] byte[] Value);

/// <summary>A statement about artifacts (github.com/in-toto/attestation, statement.md).</summary>
internal sealed record InTotoStatement
{
    public required ImmutableArray<InTotoSubject> Subject { get; init; }

    public required string PredicateType { get; init; }

    public required JsonNode Predicate { get; init; }
}

/// <summary>One artifact that a statement is about.</summary>
internal sealed record InTotoSubject
{
    public string? Name { get; init; }

    public required Dictionary<string, string> Digest { get; init; }

    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>Reads these documents.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(DsseEnvelope))]
[JsonSerializable(typeof(InTotoStatement))]
internal sealed partial class AttestationJson : JsonSerializerContext;

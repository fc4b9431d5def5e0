using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cake.K3s.Images;

/// <summary>A content digest in the form <c>sha256:&lt;64 lower-case hex digits&gt;</c>, the one form that registries must know (OCI image spec, descriptor.md).</summary>
[JsonConverter(typeof(DigestJsonConverter))]
internal sealed record Digest
{
    private const string Algorithm = "sha256:";
    private const int HexLength = 64;

    private Digest(string hex) => Hex = hex;

    /// <summary>The digits without the algorithm.</summary>
    public string Hex { get; }

    /// <summary>The first twelve digits, for people.</summary>
    public string Short => Hex[..12];

    /// <summary>The digest of some bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)));

    /// <summary>The digest of what is left of a stream.</summary>
    public static async Task<Digest> OfAsync(Stream stream, CancellationToken cancellationToken) =>
        new(Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken)));

    /// <summary>Reads a digest.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Digest Parse(string text) =>
        TryParse(text) ?? throw new FormatException($"'{text}' is not a digest: expected sha256: and {HexLength} lower-case hex digits");

    /// <summary>Reads a digest; null if it is none.</summary>
    public static Digest? TryParse(string? text) =>
        text is not null
        && text.Length == Algorithm.Length + HexLength
        && text.StartsWith(Algorithm, StringComparison.Ordinal)
        && text.AsSpan(Algorithm.Length).IndexOfAnyExcept("0123456789abcdef") < 0
            ? new(text[Algorithm.Length..])
            : null;

    /// <inheritdoc/>
    public override string ToString() => Algorithm + Hex;
}

/// <summary>Writes a <see cref="Digest"/> as its text.</summary>
internal sealed class DigestJsonConverter : JsonConverter<Digest>
{
    /// <inheritdoc/>
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.GetString();
        return Digest.TryParse(text) ?? throw new JsonException($"'{text}' is not a sha256 digest");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>
/// A plan as a file: what would change, for programs, and fingerprints by which a later deploy knows whether it would still do
/// exactly this. Holds no secret.
/// </summary>
internal sealed record PlanDocument
{
    /// <summary>The version of this form.</summary>
    public int Version { get; init; } = 1;

    public required string App { get; init; }

    public required string Namespace { get; init; }

    public required DateTimeOffset PlannedAt { get; init; }

    /// <summary>Keeps the fingerprints of Secrets from being guessed from a list of likely passwords; in base64.</summary>
    public required string Salt { get; init; }

    public required ImmutableArray<PlanDocumentObject> Objects { get; init; }

    /// <summary>What is deleted, as <c>Kind/name</c>.</summary>
    public required ImmutableArray<string> Deletes { get; init; }

    /// <summary>Images that change.</summary>
    public required ImmutableArray<PlanDocumentImage> Images { get; init; }

    /// <summary>The file's text.</summary>
    public string Write() => JsonSerializer.Serialize(this, PlanDocumentJson.Default.PlanDocument) + "\n";

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="K3sException">It is no such file.</exception>
    public static PlanDocument Read(string text, string file)
    {
        try
        {
            return JsonSerializer.Deserialize(text, PlanDocumentJson.Default.PlanDocument) is { Version: 1 } document
                ? document
                : throw new K3sException(ExitCodes.BadInput, $"{file} is a plan of another version of this library", "make it anew with --target=Plan --out=" + file);
        }
        catch (JsonException e)
        {
            throw new K3sException(ExitCodes.BadInput, $"{file} is no plan: {e.Message}", "make one with --target=Plan --out=" + file, innerException: e);
        }
    }
}

/// <summary>One object of the file.</summary>
internal sealed record PlanDocumentObject
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public string? Namespace { get; init; }

    public required string Name { get; init; }

    public required PlannedChange Change { get; init; }

    public string? Manifest { get; init; }

    /// <summary>Names what is sent.</summary>
    public required string Wanted { get; init; }

    /// <summary>Names what is there; null for nothing.</summary>
    public string? Live { get; init; }

    /// <summary>The fields that change; secret values are left out.</summary>
    public ImmutableArray<PlanDocumentField> Fields { get; init; } = [];

    /// <summary>Why the cluster refuses it.</summary>
    public string? Refused { get; init; }

    /// <summary>The object by name.</summary>
    public override string ToString() => $"{Kind}/{Name}";
}

/// <summary>One field of the file.</summary>
internal sealed record PlanDocumentField(string Path, JsonNode? Before, JsonNode? After, bool Secret);

/// <summary>One image of the file.</summary>
internal sealed record PlanDocumentImage(string Owner, string Container, string? Before, string? After, string? CommitBefore = null, string? CommitAfter = null);

/// <summary>Reads and writes the file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PlanDocument))]
internal sealed partial class PlanDocumentJson : JsonSerializerContext;

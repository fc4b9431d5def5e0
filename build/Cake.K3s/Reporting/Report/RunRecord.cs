using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cake.K3s.Reporting.Report;

/// <summary>All that is kept of a run: <c>report.json</c>, and what the HTML report is made of. Holds no secret.</summary>
internal sealed record RunRecord
{
    /// <summary>The version of this form.</summary>
    public int Version { get; init; } = 1;

    public string? App { get; init; }

    public string? Environment { get; init; }

    /// <summary>The task that was asked for.</summary>
    public string Target { get; init; } = "";

    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; while it runs, when this was written down.</summary>
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>Null while it runs.</summary>
    public int? ExitCode { get; init; }

    /// <summary>What failed, in one line; null for a success.</summary>
    public string? Failure { get; init; }

    public string? NextStep { get; init; }

    public ImmutableArray<string> Details { get; init; } = [];

    /// <summary>In the order in which they began; those that did not run come last.</summary>
    public ImmutableArray<TaskRecord> Tasks { get; init; } = [];

    public ImmutableArray<ImageRecord> Images { get; init; } = [];

    public ImmutableArray<ChangeRecord> Changes { get; init; } = [];

    /// <summary>The release that was made or found; null for none.</summary>
    public ReleaseRecord? Release { get; init; }

    public ImmutableArray<VerdictRecord> Verdicts { get; init; } = [];

    public ImmutableArray<WorkloadRecord> Workloads { get; init; } = [];

    /// <summary>The releases before, the newest first.</summary>
    public ImmutableArray<EarlierRelease> Earlier { get; init; } = [];

    /// <summary>How it ended, in a word or two.</summary>
    [JsonIgnore]
    public string Outcome => ExitCode switch
    {
        null => "goes on",
        ExitCodes.Success => "succeeded",
        ExitCodes.RolledBack => "failed and was rolled back",
        ExitCodes.Cancelled => "was cancelled",
        _ => "failed",
    };

    /// <summary>The file's text.</summary>
    /// <param name="hide">Hides secrets in a text.</param>
    public string Write(Func<string, string> hide)
    {
        var options = new JsonSerializerOptions(RunRecordJson.Default.Options) { Converters = { new HidingConverter(hide) } };
        return JsonSerializer.Serialize(this, new RunRecordJson(options).RunRecord);
    }

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="JsonException">It is no such file.</exception>
    public static RunRecord Read(string text) => JsonSerializer.Deserialize(text, RunRecordJson.Default.RunRecord) ?? throw new JsonException("it is empty");

    private sealed class HidingConverter(Func<string, string> hide) : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(hide(value));

        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);
    }
}

/// <summary>One task.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">How it ended, as <see cref="TaskOutcome"/>; <c>Running</c> or <c>NotRun</c> otherwise.</param>
/// <param name="StartedAt">When it began; null if it did not.</param>
/// <param name="Seconds">How long it took; up to the end of the run if it did not end.</param>
/// <param name="Reason">Why it was skipped or failed.</param>
/// <param name="Lines">What was told while it ran, oldest first, as far as it is kept.</param>
/// <param name="LinesLeftOut">How many older lines are not kept.</param>
internal sealed record TaskRecord(
    string Name, string State, DateTimeOffset? StartedAt, double Seconds, string? Reason, ImmutableArray<LineRecord> Lines, int LinesLeftOut);

/// <summary>One line.</summary>
internal sealed record LineRecord(DateTimeOffset At, LineLevel Level, string Source, string Text);

/// <summary>One image.</summary>
internal sealed record ImageRecord
{
    public required string Name { get; init; }

    public string? Repository { get; init; }

    public string? Digest { get; init; }

    public string? ContentKey { get; init; }

    /// <summary>Whether it was built in this run; null if that is not known.</summary>
    public bool? BuiltNow { get; init; }

    public string? Commit { get; init; }

    public bool IsDirty { get; init; }

    /// <summary>The file of the public key that its signature verifies with; null if it is not signed yet.</summary>
    public string? SignedBy { get; init; }

    public bool SignedNow { get; init; }

    /// <summary>What is attested about it.</summary>
    public ImmutableArray<string> Statements { get; init; } = [];

    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>Null if it was not pushed.</summary>
    public long? SentBytes { get; init; }

    public string? VerifyCommand { get; init; }
}

/// <summary>One object of the cluster that was changed.</summary>
internal sealed record ChangeRecord(DateTimeOffset At, string Kind, string? Namespace, string Name, ObjectChange Change, ImmutableArray<string> Fields);

/// <summary>A release as it stood at the end.</summary>
internal sealed record ReleaseRecord(int Number, string State, string? Commit, bool IsDirty, string By, string? SchemaVersion, int? RollbackTo);

/// <summary>A verdict.</summary>
internal sealed record VerdictRecord(
    DateTimeOffset At, string Release, string Summary, ImmutableArray<WorkloadFailure> Failures, ImmutableArray<string> Evidence, string? EvidenceDirectory);

/// <summary>A workload over time.</summary>
internal sealed record WorkloadRecord(
    string Kind, string? Namespace, string Name, ImmutableArray<SpanRecord> Spans, ImmutableArray<PodRecord> Pods);

/// <summary>A pod over time.</summary>
internal sealed record PodRecord(string Name, bool IsNew, string? Node, int Restarts, ImmutableArray<SpanRecord> Spans);

/// <summary>A state that lasted for a while.</summary>
/// <param name="State">The workload's state; for a pod <c>Ready</c>, <c>Waiting</c> or <c>Gone</c>.</param>
/// <param name="Text">In words.</param>
/// <param name="From">Since when.</param>
/// <param name="To">Until when.</param>
internal sealed record SpanRecord(string State, string Text, DateTimeOffset From, DateTimeOffset To);

/// <summary>Writes the file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunRecordJson : JsonSerializerContext;

namespace Cake.K3s.Sandbox.ApiServer.Schemas;

/// <summary>The shape of a JSON value and how patches merge into it.</summary>
internal sealed record Schema(SchemaKind Kind)
{
    /// <summary>Any value at all, kept as it is.</summary>
    public static Schema Any { get; } = new(SchemaKind.Any);

    /// <summary>The fields of an <see cref="SchemaKind.Object"/>.</summary>
    public ObjectType? Object { get; init; }

    /// <summary>What a list or a map holds.</summary>
    public Schema? Element { get; init; }

    /// <summary>How server-side apply merges a list.</summary>
    public ListMerge ListMerge { get; init; }

    /// <summary>The fields that tell apart the elements of a <see cref="ListMerge.Map"/>.</summary>
    public IReadOnlyList<string> ListKeys { get; init; } = [];

    /// <summary>How a strategic merge patch merges a list; empty when it replaces it.</summary>
    public string PatchMergeKey { get; init; } = "";

    /// <summary>A strategic merge patch merges a list rather than replacing it.</summary>
    public bool PatchMerges { get; init; }

    /// <summary>A strategic merge patch keeps only the keys that it names.</summary>
    public bool PatchRetainsKeys { get; init; }

    /// <summary>An object or map that has one owner as a whole.</summary>
    public bool Atomic { get; init; }

    /// <summary>Unknown fields of an object are kept.</summary>
    public bool PreservesUnknown { get; init; }

    public bool Required { get; init; }

    /// <summary>Where the description of the field can be found: a member id of KubernetesClient's documentation file, or the text itself.</summary>
    public string? Documentation { get; init; }

    /// <summary>The value that is filled in when there is none (custom resources); JSON text.</summary>
    public string? Default { get; init; }

    /// <summary>null is a value (custom resources).</summary>
    public bool Nullable { get; init; }

    /// <summary>What else a value must fulfil (custom resources): the OpenAPI schema as JSON text.</summary>
    public string? Constraints { get; init; }

    /// <summary>The width of an integer: <c>int32</c> or <c>int64</c>.</summary>
    public string? Format { get; init; }
}

internal enum SchemaKind
{
    Any,
    Object,
    Map,
    List,
    String,
    Integer,
    Number,
    Boolean,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Bytes,
}

/// <summary>How server-side apply merges lists.</summary>
internal enum ListMerge
{
    /// <summary>The list has one owner as a whole.</summary>
    Atomic,

    /// <summary>Each value is an element.</summary>
    Set,

    /// <summary>Elements are told apart by keys.</summary>
    Map,
}

/// <summary>A set of named fields. Made lazily, for types contain themselves.</summary>
internal sealed class ObjectType(string name, Func<IReadOnlyDictionary<string, Schema>> fields)
{
    private readonly Lazy<IReadOnlyDictionary<string, Schema>> _fields = new(fields);

    /// <summary>A name that is unique among types of one origin.</summary>
    public string Name { get; } = name;

    public IReadOnlyDictionary<string, Schema> Fields => _fields.Value;

    /// <summary>Empty lists and maps stay (custom resources); Go's <c>omitempty</c> drops them elsewhere.</summary>
    public bool KeepsEmpty { get; init; }

    public string? Documentation { get; init; }
}

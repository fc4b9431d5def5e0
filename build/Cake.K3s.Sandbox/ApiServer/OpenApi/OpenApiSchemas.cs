using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>Writes schemas as OpenAPI definitions, collecting the types that they use.</summary>
internal sealed partial class OpenApiSchemas(DocumentationFile documentation, string referencePrefix)
{
    /// <summary>The definitions so far, by name.</summary>
    public SortedDictionary<string, JsonObject> Definitions { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds a resource's kind and its list, and tells the name of the kind's definition.</summary>
    public string Add(ResourceDefinition resource)
    {
        var name = resource.Custom is { } custom ? AddCustom(resource, custom) : AddType(resource.Schema.Object!);
        Definitions[name]["x-kubernetes-group-version-kind"] = new JsonArray(Kind(resource.Version, resource.Kind));
        var list = name + "List";
        Definitions[list] = new JsonObject
        {
            ["description"] = $"{resource.ListKind} is a list of {resource.Kind}",
            ["type"] = "object",
            ["required"] = new JsonArray("items"),
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["type"] = "string" },
                ["kind"] = new JsonObject { ["type"] = "string" },
                ["metadata"] = Reference(AddType(ModelSchemas.ForModel("V1ListMeta").Object!), ""),
                ["items"] = new JsonObject { ["type"] = "array", ["items"] = Reference(name, "") },
            },
            ["x-kubernetes-group-version-kind"] = new JsonArray(Kind(resource.Version, resource.ListKind)),
        };
        return name;
    }

    public static JsonObject Kind(GroupVersion version, string kind)
        => new() { ["group"] = version.Group, ["kind"] = kind, ["version"] = version.Version };

    private string AddCustom(ResourceDefinition resource, CustomResource custom)
    {
        var name = string.Join('.', resource.Version.Group.Split('.').Reverse()) + $".{resource.Version.Version}.{resource.Kind}";
        var definition = custom.OpenApi.Copy();
        var properties = definition.Ensure("properties");
        properties["apiVersion"] = Described("string", ModelSchemas.ForModel("V1Pod").Object!.Fields["apiVersion"]);
        properties["kind"] = Described("string", ModelSchemas.ForModel("V1Pod").Object!.Fields["kind"]);
        properties["metadata"] = Reference(AddType(ModelSchemas.ForModel("V1ObjectMeta").Object!),
            "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata");
        Definitions[name] = definition;
        return name;
    }

    private JsonObject Described(string type, Schema field)
        => new() { ["description"] = documentation.Describe(field.Documentation), ["type"] = type };

    private string AddType(ObjectType type)
    {
        var name = NameOf(type);
        if (Definitions.ContainsKey(name))
        {
            return name;
        }

        var definition = new JsonObject { ["type"] = "object" };
        Definitions[name] = definition;
        if (documentation.Describe(type.Documentation) is { Length: > 0 } description)
        {
            definition["description"] = description;
        }

        var properties = new JsonObject();
        foreach (var (field, schema) in type.Fields.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            properties[field] = Write(schema, documentation.Describe(schema.Documentation));
        }

        definition["properties"] = properties;
        var required = type.Fields.Where(pair => pair.Value.Required).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToArray();
        if (required.Length > 0)
        {
            definition["required"] = new JsonArray([.. required.Select(field => (JsonNode)field)]);
        }

        return name;
    }

    private JsonObject Write(Schema schema, string description)
    {
        var result = schema.Kind switch
        {
            SchemaKind.Object => Reference(AddType(schema.Object!), description),
            SchemaKind.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Write(schema.Element!, "") },
            SchemaKind.List => new JsonObject { ["type"] = "array", ["items"] = Write(schema.Element!, "") },
            SchemaKind.Integer => new JsonObject { ["type"] = "integer", ["format"] = schema.Format },
            SchemaKind.Number => new JsonObject { ["type"] = "number", ["format"] = "double" },
            SchemaKind.Boolean => new JsonObject { ["type"] = "boolean" },
            SchemaKind.Quantity => Named("io.k8s.apimachinery.pkg.api.resource.Quantity", OneOf("number", null), description),
            SchemaKind.IntOrString => Named("io.k8s.apimachinery.pkg.util.intstr.IntOrString", OneOf("integer", "int-or-string"), description),
            SchemaKind.Time => Named("io.k8s.apimachinery.pkg.apis.meta.v1.Time", new JsonObject { ["type"] = "string", ["format"] = "date-time" }, description),
            SchemaKind.MicroTime => Named("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", new JsonObject { ["type"] = "string", ["format"] = "date-time" }, description),
            SchemaKind.Bytes => new JsonObject { ["type"] = "string", ["format"] = "byte" },
            SchemaKind.String => new JsonObject { ["type"] = "string" },
            _ => new JsonObject { ["type"] = "object" },
        };
        if (description.Length > 0 && !result.ContainsKey("description") && !result.ContainsKey("$ref"))
        {
            result["description"] = description;
        }

        AddMergeExtensions(schema, result);
        return result;
    }

    private static void AddMergeExtensions(Schema schema, JsonObject result)
    {
        if (schema.Kind == SchemaKind.List)
        {
            result["x-kubernetes-list-type"] = schema.ListMerge switch { ListMerge.Map => "map", ListMerge.Set => "set", _ => "atomic" };
            if (schema.ListKeys.Count > 0)
            {
                result["x-kubernetes-list-map-keys"] = new JsonArray([.. schema.ListKeys.Select(key => (JsonNode)key)]);
            }
        }
        else if (schema.Atomic)
        {
            result["x-kubernetes-map-type"] = "atomic";
        }

        if (schema.PatchMergeKey.Length > 0)
        {
            result["x-kubernetes-patch-merge-key"] = schema.PatchMergeKey;
        }

        var strategies = new List<string>();
        if (schema.PatchMerges)
        {
            strategies.Add("merge");
        }

        if (schema.PatchRetainsKeys)
        {
            strategies.Add("retainKeys");
        }

        if (strategies.Count > 0)
        {
            result["x-kubernetes-patch-strategy"] = string.Join(',', strategies);
        }
    }

    /// <summary>A string or a number: version 2 of OpenAPI cannot say that and says string.</summary>
    private JsonObject OneOf(string number, string? format)
    {
        var result = referencePrefix.StartsWith("#/components", StringComparison.Ordinal)
            ? new JsonObject { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = number }, new JsonObject { ["type"] = "string" }) }
            : new JsonObject { ["type"] = "string" };
        if (format is not null)
        {
            result["format"] = format;
        }

        return result;
    }

    private JsonObject Named(string name, JsonObject definition, string description)
    {
        Definitions.TryAdd(name, definition);
        return Reference(name, description);
    }

    /// <summary>A reference; OpenAPI wraps it where something is to be said beside it.</summary>
    private JsonObject Reference(string name, string description)
    {
        var reference = new JsonObject { ["$ref"] = referencePrefix + name };
        return description.Length == 0
            ? reference
            : new JsonObject { ["description"] = description, ["default"] = new JsonObject(), ["allOf"] = new JsonArray(reference) };
    }

    /// <summary>The model V1DeploymentSpec becomes io.k8s.api.v1.DeploymentSpec: explain shows the last part.</summary>
    private static string NameOf(ObjectType type)
    {
        var match = ModelName().Match(type.Name);
        return $"io.k8s.api.{match.Groups[1].Value.ToLowerInvariant()}.{match.Groups[2].Value}";
    }

    [GeneratedRegex(@"^((?:[A-Z][a-z]+)?[vV]\d+(?:alpha\d+|beta\d+)?)(.+)$")]
    private static partial Regex ModelName();
}

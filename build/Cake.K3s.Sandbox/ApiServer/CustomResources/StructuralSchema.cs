using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.CustomResources;

/// <summary>Reads the OpenAPI schema of a CustomResourceDefinition.</summary>
internal static class StructuralSchema
{
    /// <summary>The shape of the objects of a kind: the schema, with the fields that every object has.</summary>
    public static Schema OfKind(string name, JsonObject openApi)
    {
        var root = Of(name, openApi);
        var standard = ModelSchemas.ForModel("V1Pod").Object!;
        var type = new ObjectType(name, () =>
        {
            var fields = new Dictionary<string, Schema>(root.Object?.Fields ?? FrozenDictionary<string, Schema>.Empty, StringComparer.Ordinal);
            foreach (var field in (string[])["apiVersion", "kind", "metadata"])
            {
                fields[field] = standard.Fields[field];
            }

            return fields.ToFrozenDictionary(StringComparer.Ordinal);
        })
        {
            KeepsEmpty = true,
            Documentation = openApi.Text("description"),
        };
        return new Schema(SchemaKind.Object) { Object = type, PreservesUnknown = root.PreservesUnknown || root.Kind == SchemaKind.Any };
    }

    private static Schema Of(string name, JsonObject openApi)
    {
        var preserves = openApi.Flag("x-kubernetes-preserve-unknown-fields") == true;
        return Shape(name, openApi, preserves) with
        {
            PreservesUnknown = preserves,
            Nullable = openApi.Flag("nullable") == true,
            Default = openApi["default"] is { } value ? JsonBody.Text(value) : null,
            Documentation = openApi.Text("description"),
            Atomic = openApi.Text("x-kubernetes-map-type") == "atomic",
            ListMerge = openApi.Text("x-kubernetes-list-type") switch { "map" => ListMerge.Map, "set" => ListMerge.Set, _ => ListMerge.Atomic },
            ListKeys = [.. openApi.Texts("x-kubernetes-list-map-keys")],
        };
    }

    private static Schema Shape(string name, JsonObject openApi, bool preserves)
    {
        if (openApi.Flag("x-kubernetes-int-or-string") == true)
        {
            return new Schema(SchemaKind.IntOrString);
        }

        switch (openApi.Text("type"))
        {
            case "object" when openApi.Object("additionalProperties") is { } element:
                return new Schema(SchemaKind.Map) { Element = Of(name + "/*", element) };
            case "object" when openApi.Flag("additionalProperties") == true || (preserves && openApi.Object("properties") is null):
                return Schema.Any;
            case "object":
                var properties = openApi.Object("properties") ?? [];
                var embedded = openApi.Flag("x-kubernetes-embedded-resource") == true;
                return new Schema(SchemaKind.Object)
                {
                    Object = new ObjectType(name, () => Fields(name, properties, embedded)) { KeepsEmpty = true, Documentation = openApi.Text("description") },
                };
            case "array":
                return new Schema(SchemaKind.List) { Element = openApi.Object("items") is { } items ? Of(name + "/-", items) : Schema.Any };
            case "string":
                return new Schema(SchemaKind.String);
            case "boolean":
                return new Schema(SchemaKind.Boolean);
            case "integer":
                return new Schema(SchemaKind.Integer) { Format = "int64" };
            case "number":
                return new Schema(SchemaKind.Number);
            default:
                return Schema.Any;
        }
    }

    private static FrozenDictionary<string, Schema> Fields(string name, JsonObject properties, bool embedded)
    {
        var fields = new Dictionary<string, Schema>(StringComparer.Ordinal);
        foreach (var (field, content) in properties)
        {
            fields[field] = content is JsonObject schema ? Of($"{name}/{field}", schema) : Schema.Any;
        }

        foreach (var field in embedded ? (string[])["apiVersion", "kind", "metadata"] : [])
        {
            fields.TryAdd(field, ModelSchemas.ForModel("V1Pod").Object!.Fields[field]);
        }

        return fields.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

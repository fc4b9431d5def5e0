using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;
using Cake.K3s.Sandbox.ApiServer.Resources;
using k8s.Models;

namespace Cake.K3s.Sandbox.ApiServer.Schemas;

/// <summary>The schemas of the built-in kinds, read off KubernetesClient's models when first asked for.</summary>
internal static class ModelSchemas
{
    private static readonly Assembly Models = typeof(V1Pod).Assembly;
    private static readonly ConcurrentDictionary<Type, ObjectType> Types = new();

    /// <summary>The schema of a kind.</summary>
    /// <param name="version">Its group and version.</param>
    /// <param name="kind">Its name.</param>
    /// <param name="model">The name of the model class where it is not version and kind.</param>
    public static Schema ForKind(GroupVersion version, string kind, string? model)
    {
        var name = model ?? char.ToUpperInvariant(version.Version[0]) + version.Version[1..] + kind;
        return ForModel(name);
    }

    /// <summary>The schema of a model class by its name.</summary>
    public static Schema ForModel(string name)
    {
        var type = Models.GetType("k8s.Models." + name)
            ?? throw new InvalidOperationException($"KubernetesClient has no model {name}.");
        return new Schema(SchemaKind.Object) { Object = OfType(type) };
    }

    private static ObjectType OfType(Type type) => Types.GetOrAdd(
        type,
        static key => new ObjectType(key.Name, () => FieldsOf(key)) { Documentation = "T:" + key.FullName });

    private static FrozenDictionary<string, Schema> FieldsOf(Type type)
    {
        var fields = new Dictionary<string, Schema>(StringComparer.Ordinal);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>() is not { } json)
            {
                continue;
            }

            var semantics = MergeSemantics.Of(type.Name, json.Name);
            fields[json.Name] = Semantics(Of(property.PropertyType, json.Name), semantics, property.PropertyType) with
            {
                Documentation = $"P:{type.FullName}.{property.Name}",
                Required = property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null,
            };
        }

        return fields.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static Schema Semantics(Schema schema, FieldSemantics semantics, Type type)
    {
        var element = Nullable.GetUnderlyingType(type) ?? type;
        return schema with
        {
            ListMerge = semantics.ListMerge,
            ListKeys = semantics.ListKeys,
            PatchMergeKey = semantics.PatchMergeKey,
            PatchMerges = semantics.PatchMerges,
            PatchRetainsKeys = semantics.PatchRetainsKeys,
            Atomic = semantics.Atomic || MergeSemantics.IsAtomicType(element.Name),
        };
    }

    private static Schema Of(Type type, string field)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return new Schema(SchemaKind.String);
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return new Schema(SchemaKind.Integer) { Format = type == typeof(int) ? "int32" : "int64" };
        }

        if (type == typeof(double) || type == typeof(float))
        {
            return new Schema(SchemaKind.Number);
        }

        if (type == typeof(bool))
        {
            return new Schema(SchemaKind.Boolean);
        }

        if (type == typeof(DateTime))
        {
            return new Schema(MergeSemantics.IsMicroTime(field) ? SchemaKind.MicroTime : SchemaKind.Time);
        }

        if (type == typeof(byte[]))
        {
            return new Schema(SchemaKind.Bytes);
        }

        if (type == typeof(ResourceQuantity))
        {
            return new Schema(SchemaKind.Quantity);
        }

        if (type == typeof(IntOrString))
        {
            return new Schema(SchemaKind.IntOrString);
        }

        if (type.IsGenericType)
        {
            var arguments = type.GetGenericArguments();
            return arguments.Length == 2
                ? new Schema(SchemaKind.Map) { Element = Of(arguments[1], field) }
                : new Schema(SchemaKind.List) { Element = Of(arguments[0], field) with { Atomic = MergeSemantics.IsAtomicType(arguments[0].Name) } };
        }

        return type == typeof(object)
            ? Schema.Any
            : new Schema(SchemaKind.Object) { Object = OfType(type) };
    }
}

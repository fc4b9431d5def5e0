using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>Reads an object of a kind as a typed server does, with what <c>fieldValidation</c> asks for.</summary>
internal static class ObjectDecoder
{
    private const int MostWarnings = 10;
    private static readonly string[] Readable = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

    /// <summary>Reads a body.</summary>
    /// <exception cref="ApiException">It is not an object of the kind, or not strictly one.</exception>
    public static JsonObject Decode(byte[] body, string? contentType, ResourceDefinition resource, WriteOptions options)
    {
        if ((contentType ?? "").Split(';')[0].Trim() is { Length: > 0 } type && !Readable.Contains(type))
        {
            throw ApiErrors.UnsupportedMediaType("application/json, application/yaml, application/vnd.kubernetes.protobuf");
        }

        var problems = new List<string>();
        var duplicates = options.Validation == FieldValidation.Ignore ? null : new List<string>();
        var value = RequestBody.ReadObject(body, contentType, duplicates);
        problems.AddRange((duplicates ?? []).Select(path => $"duplicate field \"{path}\""));
        return Normalize(value, resource, options, problems);
    }

    /// <summary>Reads an object in place: the kind's own fields only, in canonical form.</summary>
    /// <exception cref="ApiException">A value has the wrong type, or there are unknown fields and they are refused.</exception>
    public static JsonObject Normalize(JsonObject value, ResourceDefinition resource, WriteOptions options, List<string>? problems = null)
    {
        CheckKind(value, resource);
        var unknown = new List<string>();
        try
        {
            new SchemaReading(unknown).Read(value, resource.Schema);
        }
        catch (SchemaMismatchException exception)
        {
            throw ApiErrors.BadRequest(
                $"{resource.Kind} in version \"{resource.Version.Version}\" cannot be handled as a {resource.Kind}: {exception.Message}");
        }

        var found = problems ?? [];
        found.AddRange(unknown.Select(path => $"unknown field \"{path}\""));
        if (found.Count > 0 && options.Validation == FieldValidation.Strict)
        {
            throw ApiErrors.BadRequest(
                $"{resource.Kind} in version \"{resource.Version.Version}\" cannot be handled as a {resource.Kind}: strict decoding error: {string.Join(", ", found)}");
        }

        if (options.Validation == FieldValidation.Warn)
        {
            options.Warnings.AddRange(found.Take(MostWarnings));
        }

        return value;
    }

    private static void CheckKind(JsonObject value, ResourceDefinition resource)
    {
        var version = value.Text("apiVersion");
        var kind = value.Text("kind");
        if (version is { Length: > 0 } && version != resource.Version.ToString())
        {
            throw ApiErrors.BadRequest($"the API version in the data ({version}) does not match the expected API version ({resource.Version})");
        }

        if (kind is { Length: > 0 } && kind != resource.Kind)
        {
            throw ApiErrors.BadRequest(
                $"{kind} in version \"{resource.Version.Version}\" cannot be handled as a {resource.Kind}: no kind \"{kind}\" is registered for version \"{resource.Version}\"");
        }

        value["apiVersion"] = resource.Version.ToString();
        value["kind"] = resource.Kind;
        if (value["metadata"] is not JsonObject)
        {
            value["metadata"] = new JsonObject();
        }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>What is wrong with one field, in the words of apimachinery's <c>field</c> package.</summary>
/// <param name="Field">The path, for example <c>spec.template.spec.containers[0].image</c>.</param>
/// <param name="Reason">The cause's machine-readable word.</param>
/// <param name="Text">The message without the path.</param>
internal sealed record FieldError(string Field, string Reason, string Text)
{
    public static FieldError Required(string field, string detail = "")
        => new(field, "FieldValueRequired", Join("Required value", detail));

    public static FieldError Invalid(string field, JsonNode? value, string detail)
        => new(field, "FieldValueInvalid", Join($"Invalid value: {Shown(value)}", detail));

    /// <summary>For a value that the server prints as it prints a Go struct.</summary>
    public static FieldError InvalidAs(string field, string shown, string detail)
        => new(field, "FieldValueInvalid", Join($"Invalid value: {shown}", detail));

    public static FieldError Duplicate(string field, JsonNode? value)
        => new(field, "FieldValueDuplicate", $"Duplicate value: {Shown(value)}");

    public static FieldError NotFound(string field, JsonNode? value)
        => new(field, "FieldValueNotFound", $"Not found: {Shown(value)}");

    public static FieldError Forbidden(string field, string detail)
        => new(field, "FieldValueForbidden", Join("Forbidden", detail));

    public static FieldError NotSupported(string field, string value, params IEnumerable<string> supported)
        => new(field, "FieldValueNotSupported",
            $"Unsupported value: {Quote(value)}: supported values: {string.Join(", ", supported.Order(StringComparer.Ordinal).Select(Quote))}");

    public static FieldError TooLong(string field, int limit)
        => new(field, "FieldValueTooLong", $"Too long: may not be more than {limit.ToString(CultureInfo.InvariantCulture)} bytes");

    public override string ToString() => $"{Field}: {Text}";

    private static string Shown(JsonNode? value) => value.Text() is { } text ? Quote(text) : value is null ? "null" : JsonBody.Text(value);

    private static string Quote(string value) => $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Join(string text, string detail) => detail.Length == 0 ? text : $"{text}: {detail}";
}

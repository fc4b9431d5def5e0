using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>One field that changes.</summary>
/// <param name="Path">Its path, e.g. <c>spec.template.spec.containers[api].image</c>.</param>
/// <param name="Before">Its value now; null if it has none.</param>
/// <param name="After">Its value afterwards; null if it will have none.</param>
public sealed record FieldChange(string Path, JsonNode? Before, JsonNode? After);

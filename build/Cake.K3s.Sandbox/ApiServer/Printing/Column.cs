using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>A column of a table.</summary>
/// <param name="Name">Its heading, as kubectl upper-cases it.</param>
/// <param name="Value">Its cell for an object at a time.</param>
internal sealed record Column(string Name, Func<JsonObject, DateTimeOffset, JsonNode?> Value)
{
    public string Type { get; init; } = "string";

    public string Format { get; init; } = "";

    public string Description { get; init; } = "";

    /// <summary>Above zero: only in <c>-o wide</c>.</summary>
    public int Priority { get; init; }
}

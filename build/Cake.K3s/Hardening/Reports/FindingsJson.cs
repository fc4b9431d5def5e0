using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Hardening.Reports;

/// <summary>Findings for programs.</summary>
internal static class FindingsJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>One object: the environment's name and its findings.</summary>
    public static string Of(string environment, IEnumerable<Finding> findings) => new JsonObject
    {
        ["environment"] = environment,
        ["findings"] = new JsonArray([.. findings.Select(Of)]),
    }.ToJsonString(Indented);

    private static JsonNode Of(Finding finding) => new JsonObject
    {
        ["control"] = finding.Control,
        ["target"] = finding.Target,
        ["state"] = JsonNamingPolicy.CamelCase.ConvertName(finding.State.ToString()),
        ["summary"] = finding.Summary,
        ["evidence"] = new JsonArray([.. finding.Evidence.Select(line => JsonValue.Create(line))]),
    };
}

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Writes findings as SARIF 2.1.0, which code hosts and editors show beside the lines.</summary>
internal static class Sarif
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The document.</summary>
    public static string Write(IReadOnlyCollection<LintFinding> findings)
    {
        var rules = findings.Select(finding => finding.Rule).Distinct().OrderBy(rule => rule.Id, StringComparer.Ordinal);
        return new JsonObject
        {
            ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
            ["version"] = "2.1.0",
            ["runs"] = new JsonArray(new JsonObject
            {
                ["tool"] = new JsonObject
                {
                    ["driver"] = new JsonObject { ["name"] = "cake-k3s", ["rules"] = new JsonArray([.. rules.Select(Rule)]) },
                },
                ["results"] = new JsonArray([.. findings.Select(Result)]),
            }),
        }.ToJsonString(Indented);
    }

    private static JsonNode Rule(LintRule rule) => new JsonObject
    {
        ["id"] = rule.Id,
        ["name"] = rule.Name,
        ["shortDescription"] = Text(rule.Why),
        ["help"] = Text(rule.Hint),
        ["defaultConfiguration"] = new JsonObject { ["level"] = Level(rule) },
    };

    private static JsonNode Result(LintFinding finding) => new JsonObject
    {
        ["ruleId"] = finding.Rule.Id,
        ["level"] = Level(finding.Rule),
        ["message"] = Text($"{finding.Subject}: {finding.Message}"),
        ["locations"] = new JsonArray(new JsonObject
        {
            ["physicalLocation"] = new JsonObject
            {
                ["artifactLocation"] = new JsonObject { ["uri"] = finding.Place.File.Replace('\\', '/') },

                // A whole file has no line; the form wants one.
                ["region"] = new JsonObject { ["startLine"] = Math.Max(1, finding.Place.Line), ["startColumn"] = Math.Max(1, finding.Place.Column) },
            },
        }),
    };

    private static JsonObject Text(string text) => new() { ["text"] = text };

    private static string Level(LintRule rule) => rule.Severity == LintSeverity.Error ? "error" : "warning";
}

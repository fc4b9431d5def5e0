using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;

namespace Cake.K3s.Hardening.Reports;

/// <summary>Findings as a SARIF 2.1.0 log (OASIS), which code hosts show beside the code.</summary>
internal static class SarifLog
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>One run, with a rule for each control and a result for each finding.</summary>
    public static string Of(IEnumerable<IControl> controls, IEnumerable<Finding> findings) => new JsonObject
    {
        ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
        ["version"] = "2.1.0",
        ["runs"] = new JsonArray(new JsonObject
        {
            ["tool"] = new JsonObject
            {
                ["driver"] = new JsonObject { ["name"] = "Cake.K3s", ["rules"] = new JsonArray([.. controls.Select(Rule)]) },
            },
            ["results"] = new JsonArray([.. findings.Select(Result)]),
        }),
    }.ToJsonString(Indented);

    private static JsonNode Rule(IControl control) => new JsonObject
    {
        ["id"] = control.Name,
        ["shortDescription"] = new JsonObject { ["text"] = control.Protects },
    };

    private static JsonNode Result(Finding finding)
    {
        var (kind, level) = finding.State switch
        {
            ControlState.InPlace => ("pass", "none"),
            ControlState.NotApplicable => ("notApplicable", "none"),
            ControlState.Unknown => ("open", "none"),
            ControlState.Unfinished => ("fail", "error"),
            _ => ("fail", "warning"),
        };
        return new JsonObject
        {
            ["ruleId"] = finding.Control,
            ["kind"] = kind,
            ["level"] = level,
            ["message"] = new JsonObject { ["text"] = $"{finding.Target}: {finding.Summary}" },
            ["locations"] = new JsonArray(new JsonObject
            {
                // Code hosts refuse a result without a file; what it is about is the logical location.
                ["physicalLocation"] = new JsonObject
                {
                    ["artifactLocation"] = new JsonObject { ["uri"] = RepositoryRoot.SettingsFileName },
                    ["region"] = new JsonObject { ["startLine"] = 1 },
                },
                ["logicalLocations"] = new JsonArray(new JsonObject { ["name"] = finding.Target, ["kind"] = "resource" }),
            }),
        };
    }
}

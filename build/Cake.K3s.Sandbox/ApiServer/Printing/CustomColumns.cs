using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>The columns that a CustomResourceDefinition asks for.</summary>
internal static class CustomColumns
{
    public static IReadOnlyList<Column> Of(CustomResource custom)
    {
        var name = new Column("Name", (value, _) => value.Name()) { Format = "name" };
        if (custom.Columns.Count == 0)
        {
            return [name, new Column("Age", (value, now) => Ages.Since(value.Metadata().Text("creationTimestamp"), now)) { Type = "date" }];
        }

        return [name, .. custom.Columns.Select(Column)];
    }

    private static Column Column(PrinterColumn column)
        => new(column.Name, (value, now) => Cell(column, value, now))
        {
            Type = column.Type,
            Format = column.Format,
            Description = column.Description,
            Priority = column.Priority,
        };

    private static JsonNode? Cell(PrinterColumn column, JsonObject value, DateTimeOffset now)
    {
        var found = JsonPath.Find(value, column.JsonPath).ToList();
        if (found.Count == 0)
        {
            return null;
        }

        return column.Type switch
        {
            "date" => Ages.Since(found[0].Text(), now),
            "string" => string.Join(' ', found.Select(node => node.Text() ?? node?.ToJsonString() ?? "")),
            _ => found[0]?.DeepClone(),
        };
    }
}

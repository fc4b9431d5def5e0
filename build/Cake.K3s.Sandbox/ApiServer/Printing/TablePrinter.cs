using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>Makes the tables that <c>kubectl get</c> shows.</summary>
internal sealed class TablePrinter(ApiServerOptions options)
{
    public JsonObject Print(ResourceDefinition resource, IReadOnlyList<JsonObject> objects, JsonObject? listMetadata, TableOptions table)
    {
        var columns = resource.Custom is { } custom ? CustomColumns.Of(custom) : BuiltInColumns.Of(resource);
        var now = options.Clock.GetUtcNow();
        var result = new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = listMetadata ?? Version(objects),
            ["columnDefinitions"] = table.Headers ? new JsonArray([.. columns.Select(Definition)]) : null,
            ["rows"] = new JsonArray([.. objects.Select(value => Row(value, columns, now, table.Include))]),
        };
        return result;
    }

    private static JsonObject Version(IReadOnlyList<JsonObject> objects)
        => objects is [var one] && one.Metadata().Text("resourceVersion") is { } version ? new JsonObject { ["resourceVersion"] = version } : [];

    private static JsonNode Definition(Column column) => new JsonObject
    {
        ["name"] = column.Name,
        ["type"] = column.Type,
        ["format"] = column.Format,
        ["description"] = column.Description,
        ["priority"] = column.Priority,
    };

    private static JsonNode Row(JsonObject value, IReadOnlyList<Column> columns, DateTimeOffset now, IncludeObject include)
    {
        var row = new JsonObject { ["cells"] = new JsonArray([.. columns.Select(column => column.Value(value, now))]) };
        switch (include)
        {
            case IncludeObject.Metadata:
                row["object"] = PartialMetadata.Of(value);
                break;
            case IncludeObject.Object:
                row["object"] = value.Copy();
                break;
        }

        return row;
    }
}

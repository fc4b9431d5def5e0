using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.CustomResources;

/// <summary>Fills in the defaults that a schema names.</summary>
internal static class SchemaDefaults
{
    public static void Apply(JsonNode? value, Schema schema)
    {
        switch (value)
        {
            case JsonObject map when schema.Object is { } type:
                foreach (var (name, field) in type.Fields)
                {
                    if (name == "metadata")
                    {
                        continue;
                    }

                    if (map[name] is null && field.Default is { } json && !(map.ContainsKey(name) && field.Nullable))
                    {
                        map[name] = JsonNode.Parse(json);
                    }

                    Apply(map[name], field);
                }

                break;
            case JsonObject map when schema.Element is { } element:
                foreach (var (_, item) in map.ToArray())
                {
                    Apply(item, element);
                }

                break;
            case JsonArray list when schema.Element is { } element:
                foreach (var item in list)
                {
                    Apply(item, element);
                }

                break;
        }
    }
}

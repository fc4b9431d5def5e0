using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>The Swagger 2 document of everything, for older clients.</summary>
internal static class OpenApiV2
{
    public static JsonObject Make(IReadOnlyList<ResourceDefinition> resources, DocumentationFile documentation, string kubernetesVersion)
    {
        var schemas = new OpenApiSchemas(documentation, "#/definitions/");
        foreach (var resource in resources)
        {
            schemas.Add(resource);
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v" + kubernetesVersion },
            ["paths"] = new JsonObject(),
            ["definitions"] = new JsonObject(schemas.Definitions.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        };
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>The OpenAPI 3 document of one API version: what kubectl needs for apply, explain and its own checks.</summary>
internal static class OpenApiV3
{
    public static JsonObject Make(ApiGroupVersion version, DocumentationFile documentation, string kubernetesVersion)
    {
        var schemas = new OpenApiSchemas(documentation, "#/components/schemas/");
        var paths = new JsonObject();
        foreach (var resource in version.Resources)
        {
            var name = schemas.Add(resource);
            foreach (var (path, item) in Paths(resource, name))
            {
                paths[path] = item;
            }
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v" + kubernetesVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = new JsonObject(schemas.Definitions.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))) },
        };
    }

    private static IEnumerable<(string Path, JsonObject Item)> Paths(ResourceDefinition resource, string schema)
    {
        var root = resource.Version.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Version}";
        var collection = resource.Namespaced ? $"{root}/namespaces/{{namespace}}/{resource.Plural}" : $"{root}/{resource.Plural}";
        var all = new JsonObject();
        AddOperation(all, resource, schema, "create", "post", "application/json");
        AddOperation(all, resource, schema, "list", "get", null);
        yield return (collection, all);
        if (!resource.Verbs.Contains("get"))
        {
            yield break;
        }

        var one = new JsonObject();
        AddOperation(one, resource, schema, "get", "get", null);
        AddOperation(one, resource, schema, "update", "put", "application/json");
        AddOperation(one, resource, schema, "delete", "delete", "application/json");
        AddOperation(one, resource, schema, "patch", "patch", "application/json");
        yield return (collection + "/{name}", one);
    }

    private static void AddOperation(JsonObject item, ResourceDefinition resource, string schema, string verb, string method, string? body)
    {
        if (!resource.Verbs.Contains(verb))
        {
            return;
        }

        static JsonObject Content(string schema) => new() { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/" + schema } };
        var operation = new JsonObject
        {
            ["operationId"] = $"{verb}{resource.Version.Group.Replace(".", "", StringComparison.Ordinal)}{resource.Version.Version}{resource.Kind}",
            ["parameters"] = new JsonArray([.. Parameters(verb).Select(name => new JsonObject
            {
                ["name"] = name,
                ["in"] = "query",
                ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
            })]),
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject { ["description"] = "OK", ["content"] = new JsonObject { ["application/json"] = Content(verb == "list" ? schema + "List" : schema) } },
            },
            ["x-kubernetes-action"] = method == "patch" ? "patch" : method,
            ["x-kubernetes-group-version-kind"] = OpenApiSchemas.Kind(resource.Version, resource.Kind),
        };
        if (verb == "patch")
        {
            var content = new JsonObject
            {
                ["application/apply-patch+yaml"] = Content(schema),
                ["application/json-patch+json"] = Content(schema),
                ["application/merge-patch+json"] = Content(schema),
            };
            if (!resource.IsCustom)
            {
                content["application/strategic-merge-patch+json"] = Content(schema);
            }

            operation["requestBody"] = new JsonObject { ["content"] = content, ["required"] = true };
        }
        else if (body is not null && verb != "delete")
        {
            operation["requestBody"] = new JsonObject { ["content"] = new JsonObject { [body] = Content(schema) }, ["required"] = true };
        }

        item[method] = operation;
    }

    private static string[] Parameters(string verb) => verb switch
    {
        "create" or "update" => ["dryRun", "fieldManager", "fieldValidation", "pretty"],
        "patch" => ["dryRun", "fieldManager", "fieldValidation", "force", "pretty"],
        "delete" => ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy", "pretty"],
        "list" => ["allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch", "pretty"],
        _ => ["pretty"],
    };
}

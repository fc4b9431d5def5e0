using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Printing;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Subresources;

/// <summary>The <c>scale</c> subresource: how many replicas an object wants, whatever its kind.</summary>
internal static class ScaleView
{
    /// <summary>What an object's scale is.</summary>
    public static JsonObject Of(ResourceDefinition resource, JsonObject value)
    {
        var metadata = new JsonObject();
        foreach (var field in (string[])["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (value.Metadata()[field] is { } content)
            {
                metadata[field] = content.DeepClone();
            }
        }

        var paths = resource.Custom?.Scale;
        var wanted = paths is null ? value.Object("spec").Integer("replicas") : At(value, paths.SpecReplicas);
        var present = paths is null ? value.Object("status").Integer("replicas") : At(value, paths.StatusReplicas);
        var status = new JsonObject { ["replicas"] = present ?? 0 };
        var selector = paths is null ? SelectorOf(value) : paths.LabelSelector is { } path ? JsonPath.Find(value, path).FirstOrDefault().Text() : null;
        if (selector is { Length: > 0 })
        {
            status["selector"] = selector;
        }

        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = wanted is { } number ? new JsonObject { ["replicas"] = number } : [],
            ["status"] = status,
        };
    }

    /// <summary>Gives an object the number of replicas that a scale says.</summary>
    /// <exception cref="ApiException">It is negative.</exception>
    public static JsonObject Apply(ResourceDefinition resource, JsonObject value, JsonObject scale)
    {
        var replicas = scale.Object("spec").Integer("replicas") ?? 0;
        if (replicas < 0)
        {
            throw ApiErrors.Invalid("autoscaling", "Scale", value.Name() ?? "",
                [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
        }

        if (scale.Metadata().Text("resourceVersion") is { Length: > 0 } version)
        {
            value.Metadata()["resourceVersion"] = version;
        }

        var steps = (resource.Custom?.Scale?.SpecReplicas ?? ".spec.replicas").Trim('.').Split('.');
        var target = value;
        foreach (var step in steps[..^1])
        {
            target = target.Ensure(step);
        }

        target[steps[^1]] = replicas;
        return value;
    }

    private static long? At(JsonObject value, string path) => JsonPath.Find(value, path).FirstOrDefault().Integer();

    private static string SelectorOf(JsonObject value)
    {
        var selector = value.Object("spec", "selector");
        return selector is null ? "" : selector.ContainsKey("matchLabels") || selector.ContainsKey("matchExpressions")
            ? BuiltInColumns.Selector(selector)
            : string.Join(',', value.Object("spec").Map("selector").OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
    }
}

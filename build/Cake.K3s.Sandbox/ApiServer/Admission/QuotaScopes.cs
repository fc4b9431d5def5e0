using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Which objects a quota counts: those with scopes count only some pods.</summary>
internal static class QuotaScopes
{
    /// <summary>Whether a quota counts an object.</summary>
    public static bool Cover(JsonObject? spec, string resource, JsonObject value)
    {
        var scopes = spec.Texts("scopes").Select(scope => new JsonObject { ["scopeName"] = scope, ["operator"] = "Exists" })
            .Concat(spec.Object("scopeSelector").Objects("matchExpressions")).ToList();
        return scopes.Count == 0 || (resource == "pods" && scopes.All(scope => Matches(scope, value)));
    }

    private static bool Matches(JsonObject scope, JsonObject pod)
    {
        var spec = pod.Object("spec");
        var isBestEffort = pod.Object("status").Text("qosClass") == "BestEffort";
        var ends = spec.Integer("activeDeadlineSeconds") is not null;
        return scope.Text("scopeName") switch
        {
            "BestEffort" => isBestEffort,
            "NotBestEffort" => !isBestEffort,
            "Terminating" => ends,
            "NotTerminating" => !ends,
            "PriorityClass" => Named(scope, spec.Text("priorityClassName")),
            _ => false,
        };
    }

    private static bool Named(JsonObject scope, string? priority) => scope.Text("operator") switch
    {
        "In" => scope.Texts("values").Contains(priority),
        "NotIn" => !scope.Texts("values").Contains(priority),
        "DoesNotExist" => string.IsNullOrEmpty(priority),
        _ => !string.IsNullOrEmpty(priority),
    };
}

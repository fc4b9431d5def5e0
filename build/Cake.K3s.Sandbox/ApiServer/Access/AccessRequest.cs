using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>What somebody wants to do with a resource, as RBAC looks at it.</summary>
/// <param name="Verb">E.g. <c>get</c>, <c>list</c>, <c>deletecollection</c>.</param>
/// <param name="Group">The API group; empty for the core group.</param>
/// <param name="Resource">The plural, e.g. <c>pods</c>.</param>
/// <param name="Subresource">Empty for the object itself.</param>
/// <param name="Namespace">Empty for cluster scope, and for all namespaces.</param>
/// <param name="Name">Empty for a collection.</param>
internal sealed record AccessRequest(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name)
{
    /// <summary>As rules name it: <c>pods</c> or <c>pods/log</c>.</summary>
    public string QualifiedResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>What a request over HTTP wants.</summary>
    public static AccessRequest Of(HttpContext context, RequestTarget target)
    {
        var verb = context.Request.Method switch
        {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => target.Name is null ? "deletecollection" : "delete",
            _ when target.Name is not null => "get",
            _ => context.Request.Query["watch"].ToString() is "true" or "1" ? "watch" : "list",
        };
        return new AccessRequest(verb, target.Resource.Version.Group, target.Resource.Plural, target.Subresource ?? "", target.StorageNamespace, target.Name ?? Selected(context));
    }

    /// <summary>What a review asks about.</summary>
    public static AccessRequest Of(JsonObject attributes) => new(
        attributes.Text("verb") ?? "",
        attributes.Text("group") ?? "",
        attributes.Text("resource") ?? "",
        attributes.Text("subresource") ?? "",
        attributes.Text("namespace") ?? "",
        attributes.Text("name") ?? "");

    /// <summary>Whoever lists one object by its name asks for that object.</summary>
    private static string Selected(HttpContext context)
    {
        const string ByName = "metadata.name=";
        var selector = context.Request.Query["fieldSelector"].ToString();
        return selector.StartsWith(ByName, StringComparison.Ordinal) && !selector.Contains(',', StringComparison.Ordinal) ? selector[ByName.Length..] : "";
    }
}

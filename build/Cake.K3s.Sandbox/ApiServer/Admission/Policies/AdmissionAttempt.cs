using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Admission.Policies;

/// <summary>A change that somebody asks for, as admission sees it.</summary>
/// <param name="Operation"><c>CREATE</c>, <c>UPDATE</c> or <c>DELETE</c>.</param>
/// <param name="Resource">The resource and version it is written in.</param>
/// <param name="Subresource">Null for the object itself.</param>
/// <param name="Value">The object as it would be; null when it goes.</param>
/// <param name="Old">The object as it is; null when it is new.</param>
/// <param name="User">Who asks.</param>
/// <param name="DryRun">Nothing will be kept.</param>
/// <param name="Warnings">Takes what the client is to be told.</param>
internal sealed record AdmissionAttempt(
    string Operation, ResourceDefinition Resource, string? Subresource, JsonObject? Value, JsonObject? Old, ApiUser User, bool DryRun, List<string> Warnings)
{
    private JsonObject Any => Value ?? Old!;

    public string Name => Any.Name() ?? "";

    /// <summary>Empty for cluster scope.</summary>
    public string Namespace => Any.Namespace() ?? "";

    /// <summary>The object and its former state have these labels.</summary>
    public IEnumerable<IReadOnlyDictionary<string, string>> Labels => ((JsonObject?[])[Value, Old]).OfType<JsonObject>().Select(state => state.Labels());

    /// <summary>The <c>request</c> of expressions.</summary>
    public JsonObject Request() => new()
    {
        ["uid"] = Guid.NewGuid().ToString(),
        ["kind"] = new JsonObject { ["group"] = Resource.Version.Group, ["version"] = Resource.Version.Version, ["kind"] = Resource.Kind },
        ["resource"] = new JsonObject { ["group"] = Resource.Version.Group, ["version"] = Resource.Version.Version, ["resource"] = Resource.Plural },
        ["subResource"] = Subresource ?? "",
        ["name"] = Name,
        ["namespace"] = Namespace,
        ["operation"] = Operation,
        ["dryRun"] = DryRun,
        ["userInfo"] = new JsonObject
        {
            ["username"] = User.Name,
            ["groups"] = new JsonArray([.. User.Groups.Select(group => (JsonNode)group)]),
        },
    };
}

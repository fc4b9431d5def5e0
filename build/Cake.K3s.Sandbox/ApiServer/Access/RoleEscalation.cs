using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Nobody can give away by a role or a binding what he may not do himself.</summary>
internal sealed class RoleEscalation(Authorizer authorizer)
{
    /// <summary>Checks a role or a binding that is written; other kinds pass.</summary>
    /// <exception cref="ApiException">It would grant more than the user holds.</exception>
    public void Check(ResourceDefinition resource, JsonObject value, ApiUser user)
    {
        if (user.IsMaster || resource.Version.Group != "rbac.authorization.k8s.io")
        {
            return;
        }

        var inNamespace = value.Namespace() ?? "";
        var isBinding = resource.Kind is "RoleBinding" or "ClusterRoleBinding";
        var role = value.Object("roleRef");
        var rules = isBinding ? authorizer.RulesOf(role, inNamespace) : value.Objects("rules");
        var plural = isBinding ? role.Text("kind") == "Role" ? "roles" : "clusterroles" : resource.Plural;
        var name = isBinding ? role.Text("name") ?? "" : value.Name() ?? "";
        if (authorizer.Reason(user, new AccessRequest(isBinding ? "bind" : "escalate", resource.Version.Group, plural, "", inNamespace, name)) is not null)
        {
            return;
        }

        var held = authorizer.Rules(user, inNamespace).Select(one => one.Rule).ToList();
        var missing = rules.Where(rule => !Parts(rule).All(part => held.Any(own => Authorizer.Allows(own, part)))).Select(Shown).ToList();
        if (missing.Count > 0)
        {
            throw ApiErrors.Forbidden(resource, value.Name() ?? "",
                $"user \"{user.Name}\" (groups=[{string.Join(' ', user.Groups.Select(group => $"\"{group}\""))}]) is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', missing)}");
        }
    }

    /// <summary>A rule as single permissions: one verb on one resource of one group each.</summary>
    private static IEnumerable<AccessRequest> Parts(JsonObject rule) =>
        from verb in rule.Texts("verbs")
        from apiGroup in rule.Texts("apiGroups")
        from resource in rule.Texts("resources")
        from name in rule.Texts("resourceNames").DefaultIfEmpty("")
        let slash = resource.IndexOf('/', StringComparison.Ordinal)
        select new AccessRequest(verb, apiGroup, slash < 0 ? resource : resource[..slash], slash < 0 ? "" : resource[(slash + 1)..], "", name);

    private static string Shown(JsonObject rule)
    {
        (string Name, string Field)[] lists =
            [("APIGroups", "apiGroups"), ("Resources", "resources"), ("ResourceNames", "resourceNames"), ("NonResourceURLs", "nonResourceURLs"), ("Verbs", "verbs")];
        return "{" + string.Join(", ", lists.Where(list => rule.List(list.Field) is { Count: > 0 })
            .Select(list => $"{list.Name}:[{string.Join(' ', rule.Texts(list.Field).Select(text => $"\"{text}\""))}]")) + "}";
    }
}

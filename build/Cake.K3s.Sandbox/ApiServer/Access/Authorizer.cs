using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Selectors;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Decides by Roles and their bindings what somebody may do. <c>system:masters</c> may do everything.</summary>
internal sealed class Authorizer(ObjectStore store)
{
    private const string Group = "rbac.authorization.k8s.io";

    /// <summary>Lets a request through.</summary>
    /// <exception cref="ApiException">The user may not do that.</exception>
    public void Check(ApiUser user, ResourceDefinition resource, AccessRequest request)
    {
        if (Reason(user, request) is null)
        {
            throw ApiErrors.Forbidden(resource, request.Verb is "create" or "deletecollection" ? "" : request.Name, Refusal(user, request));
        }
    }

    /// <summary>Why the user may do that; null when not.</summary>
    public string? Reason(ApiUser user, AccessRequest request)
    {
        if (user.IsMaster)
        {
            return "";
        }

        foreach (var (rule, reason) in Rules(user, request.Namespace))
        {
            if (Allows(rule, request))
            {
                return reason;
            }
        }

        return null;
    }

    /// <summary>Whether the user may ask for a path that is no resource.</summary>
    public bool AllowsPath(ApiUser user, string verb, string path)
        => user.IsMaster || Rules(user, "").Any(held => Has(held.Rule, "verbs", verb) && held.Rule.Texts("nonResourceURLs")
            .Any(pattern => pattern == path || (pattern.EndsWith('*') && path.StartsWith(pattern[..^1], StringComparison.Ordinal))));

    /// <summary>The rules that hold for a user in a namespace, and at cluster scope; each with the binding that gives it.</summary>
    public IEnumerable<(JsonObject Rule, string Reason)> Rules(ApiUser user, string inNamespace)
    {
        var bindings = store.List($"clusterrolebindings.{Group}").Objects.AsEnumerable();
        if (inNamespace.Length > 0)
        {
            bindings = bindings.Concat(store.List($"rolebindings.{Group}", inNamespace).Objects);
        }

        foreach (var binding in bindings)
        {
            if (binding.Shared.Objects("subjects").FirstOrDefault(subject => IsUser(subject, user, binding.Key.Namespace)) is not { } subject)
            {
                continue;
            }

            var role = binding.Shared.Object("roleRef");
            var reason = $"RBAC: allowed by {(binding.Key.Namespace.Length > 0 ? "RoleBinding" : "ClusterRoleBinding")} \"{Named(binding.Key.Name, binding.Key.Namespace)}\" of {role.Text("kind")} \"{role.Text("name")}\" to {subject.Text("kind")} \"{Named(subject.Text("name") ?? "", subject.Text("namespace") ?? "")}\"";
            foreach (var rule in RulesOf(role, binding.Key.Namespace))
            {
                yield return (rule, reason);
            }
        }
    }

    /// <summary>The rules of the role that a binding names.</summary>
    public IEnumerable<JsonObject> RulesOf(JsonObject? reference, string inNamespace)
    {
        var name = reference.Text("name") ?? "";
        var key = reference.Text("kind") == "Role" ? new ObjectKey($"roles.{Group}", inNamespace, name) : new ObjectKey($"clusterroles.{Group}", "", name);
        if (store.Find(key)?.Shared is not { } role)
        {
            return [];
        }

        // A real cluster has a controller that copies them together.
        var selectors = role.Object("aggregationRule").Objects("clusterRoleSelectors").Select(LabelSelector.Of).ToList();
        return selectors.Count == 0
            ? role.Objects("rules")
            : role.Objects("rules").Concat(store.List(key.Resource).Objects
                .Where(other => other.Key != key && selectors.Any(selector => selector.Matches(other.Labels)))
                .SelectMany(other => other.Shared.Objects("rules")));
    }

    private static string Refusal(ApiUser user, AccessRequest request)
        => $"User \"{user.Name}\" cannot {request.Verb} resource \"{request.QualifiedResource}\" in API group \"{request.Group}\" "
            + (request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope");

    /// <summary>Whether a rule allows something.</summary>
    public static bool Allows(JsonObject rule, AccessRequest request)
        => Has(rule, "verbs", request.Verb)
            && Has(rule, "apiGroups", request.Group)
            && rule.Texts("resources").Any(resource => resource == "*" || resource == request.QualifiedResource || (request.Subresource.Length > 0 && resource == $"*/{request.Subresource}"))
            && (rule.List("resourceNames") is not { Count: > 0 } || (request.Name.Length > 0 && rule.Texts("resourceNames").Contains(request.Name)));

    private static bool Has(JsonObject rule, string list, string value) => rule.Texts(list).Any(one => one == "*" || one == value);

    private static bool IsUser(JsonObject subject, ApiUser user, string inNamespace) => subject.Text("kind") switch
    {
        "User" => subject.Text("name") == user.Name,
        "Group" => user.Groups.Contains(subject.Text("name")),
        "ServiceAccount" => user.Name == $"system:serviceaccount:{subject.Text("namespace") ?? inNamespace}:{subject.Text("name")}",
        _ => false,
    };

    private static string Named(string name, string inNamespace) => inNamespace.Length == 0 ? name : $"{name}/{inNamespace}";
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Answers the questions about who one is and what one may.</summary>
internal sealed class AccessReviews(Authenticator authenticator, Authorizer authorizer)
{
    /// <summary>Answers a review of a resource that is only ever created; null when it is none.</summary>
    public JsonObject? Answer(ResourceDefinition resource, JsonObject review, ApiUser user)
    {
        var spec = review.Object("spec");
        switch (resource.Kind)
        {
            case "SelfSubjectAccessReview":
                review["status"] = Access(spec, user);
                return review;
            case "SubjectAccessReview" or "LocalSubjectAccessReview":
                review["status"] = Access(spec, new ApiUser(spec.Text("user") ?? "", [.. spec.Texts("groups")]));
                return review;
            case "SelfSubjectRulesReview":
                review["status"] = Rules(user, spec.Text("namespace") ?? "");
                return review;
            case "SelfSubjectReview":
                review["status"] = new JsonObject { ["userInfo"] = Info(user) };
                return review;
            case "TokenReview":
                var found = authenticator.Authenticate(spec.Text("token") ?? "");
                review["status"] = found is null
                    ? new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" }
                    : new JsonObject { ["authenticated"] = true, ["user"] = Info(found) };
                return review;
            default:
                return null;
        }
    }

    private JsonObject Access(JsonObject? spec, ApiUser user)
    {
        if (spec.Object("nonResourceAttributes") is { } path)
        {
            return new JsonObject { ["allowed"] = authorizer.AllowsPath(user, path.Text("verb") ?? "", path.Text("path") ?? "") };
        }

        if (spec.Object("resourceAttributes") is null)
        {
            throw ApiErrors.Invalid("authorization.k8s.io", "", "",
                [FieldError.Invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")]);
        }

        var reason = authorizer.Reason(user, AccessRequest.Of(spec.Object("resourceAttributes")!));
        var status = new JsonObject { ["allowed"] = reason is not null };
        if (reason is { Length: > 0 })
        {
            status["reason"] = reason;
        }

        return status;
    }

    private JsonObject Rules(ApiUser user, string inNamespace)
    {
        var rules = authorizer.Rules(user, inNamespace).Select(held => held.Rule).ToList();
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(rule => rule.List("resources") is { Count: > 0 }).Select(rule => rule.DeepClone())]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(rule => rule.List("nonResourceURLs") is { Count: > 0 }).Select(rule => rule.DeepClone())]),
            ["incomplete"] = false,
        };
    }

    private static JsonObject Info(ApiUser user) => new()
    {
        ["username"] = user.Name,
        ["groups"] = new JsonArray([.. user.Groups.Select(group => (JsonNode)group)]),
    };
}

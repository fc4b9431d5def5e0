using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Answers the questions about who one is and what one may: whoever is let in may do everything.</summary>
internal sealed class AccessReviews(Authenticator authenticator)
{
    /// <summary>Answers a review of a resource that is only ever created; null when it is none.</summary>
    public JsonObject? Answer(ResourceDefinition resource, JsonObject review, ApiUser user)
    {
        switch (resource.Kind)
        {
            case "SelfSubjectAccessReview" or "SubjectAccessReview" or "LocalSubjectAccessReview":
                review["status"] = new JsonObject { ["allowed"] = true, ["reason"] = "every authenticated user may do everything here" };
                return review;
            case "SelfSubjectRulesReview":
                review["status"] = new JsonObject
                {
                    ["resourceRules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") }),
                    ["nonResourceRules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray("*"), ["nonResourceURLs"] = new JsonArray("*") }),
                    ["incomplete"] = false,
                };
                return review;
            case "SelfSubjectReview":
                review["status"] = new JsonObject { ["userInfo"] = Info(user) };
                return review;
            case "TokenReview":
                var found = authenticator.Authenticate(review.Object("spec").Text("token") ?? "");
                review["status"] = found is null
                    ? new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" }
                    : new JsonObject { ["authenticated"] = true, ["user"] = Info(found) };
                return review;
            default:
                return null;
        }
    }

    private static JsonObject Info(ApiUser user) => new()
    {
        ["username"] = user.Name,
        ["groups"] = new JsonArray([.. user.Groups.Select(group => (JsonNode)group)]),
    };
}

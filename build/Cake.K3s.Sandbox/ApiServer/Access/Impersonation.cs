using Cake.K3s.Sandbox.ApiServer.Http;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Lets a user who may act as another: <c>kubectl --as</c>.</summary>
internal sealed class Impersonation(Authorizer authorizer)
{
    private const string Account = "system:serviceaccount:";

    /// <summary>The user whom a request is made as.</summary>
    /// <exception cref="ApiException">The user may not act as that one.</exception>
    public ApiUser Apply(HttpRequest request, ApiUser user)
    {
        var name = request.Headers["Impersonate-User"].ToString();
        var groups = request.Headers["Impersonate-Group"].OfType<string>().ToList();
        if (name.Length == 0)
        {
            return groups.Count == 0 ? user : throw ApiErrors.BadRequest("requested [{Group  system:authenticated  }] without impersonating a user");
        }

        var account = name.StartsWith(Account, StringComparison.Ordinal) ? name[Account.Length..].Split(':') : null;
        Check(user, account is [var space, var own] ? ("serviceaccounts", space, own) : ("users", "", name));
        foreach (var group in groups)
        {
            Check(user, ("groups", "", group));
        }

        if (account is [var inNamespace, _] && groups.Count == 0)
        {
            groups.AddRange(["system:serviceaccounts", $"system:serviceaccounts:{inNamespace}"]);
        }

        return new ApiUser(name, [.. groups.Append("system:authenticated").Distinct(StringComparer.Ordinal)]);
    }

    private void Check(ApiUser user, (string Resource, string Namespace, string Name) whom)
    {
        if (authorizer.Reason(user, new AccessRequest("impersonate", "", whom.Resource, "", whom.Namespace, whom.Name)) is null)
        {
            var scope = whom.Namespace.Length > 0 ? $"in the namespace \"{whom.Namespace}\"" : "at the cluster scope";
            throw new ApiException(403, "Forbidden",
                $"{whom.Resource} \"{whom.Name}\" is forbidden: User \"{user.Name}\" cannot impersonate resource \"{whom.Resource}\" in API group \"\" {scope}");
        }
    }
}

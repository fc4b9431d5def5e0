using System.Security.Cryptography.X509Certificates;

namespace Cake.K3s.Sandbox.ApiServer.Access;

/// <summary>Finds out who makes a request: a client certificate that the host has checked, or a bearer token.</summary>
internal sealed class Authenticator(ApiServerOptions options, ServiceAccountTokens tokens)
{
    /// <summary>The user, or null when the request may not be answered.</summary>
    public ApiUser? Authenticate(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
        {
            return Of(certificate);
        }

        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && Authenticate(header["Bearer ".Length..].Trim()) is { } user)
        {
            return user;
        }

        return options.Tokens.Count == 0 ? ApiUser.Admin : null;
    }

    /// <summary>The user whom a token stands for; null when it stands for none.</summary>
    public ApiUser? Authenticate(string token) => options.Tokens.GetValueOrDefault(token) ?? tokens.Authenticate(token);

    private static ApiUser Of(X509Certificate2 certificate)
    {
        var groups = new List<string> { "system:authenticated" };
        var name = "";
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case "2.5.4.10":
                    groups.Add(part.GetSingleElementValue() ?? "");
                    break;
            }
        }

        return new ApiUser(name, groups);
    }
}

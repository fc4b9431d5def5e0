using System.Security.Cryptography.X509Certificates;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>Finds out who makes a request: a client certificate that the host has checked, or a bearer token.</summary>
internal sealed class Authenticator(ApiServerOptions options)
{
    /// <summary>The user, or null when the request may not be answered.</summary>
    public ApiUser? Authenticate(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
        {
            return Of(certificate);
        }

        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && options.Tokens.Count > 0)
        {
            return options.Tokens.GetValueOrDefault(header["Bearer ".Length..].Trim());
        }

        return options.Tokens.Count == 0 ? ApiUser.Admin : null;
    }

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

using Cake.K3s.Sandbox.ApiServer.Http;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>How a change is to be made: the query parameters of writes.</summary>
internal sealed record WriteOptions
{
    /// <summary>The field manager that owns what is set.</summary>
    public required string Manager { get; init; }

    /// <summary>Who asks for it.</summary>
    public ApiUser User { get; init; } = ApiUser.Admin;

    /// <summary>Say what would happen and keep nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Take over fields of other managers (server-side apply).</summary>
    public bool Force { get; init; }

    /// <summary>The object comes from a server-side apply, which has said already who owns what.</summary>
    public bool Applied { get; init; }

    /// <summary>What to do with unknown fields.</summary>
    public FieldValidation Validation { get; init; } = FieldValidation.Warn;

    /// <summary>Warnings to be sent with the answer.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Reads the parameters of a request.</summary>
    /// <exception cref="ApiException">One of them has no such value.</exception>
    public static WriteOptions Of(HttpRequest request)
    {
        var query = request.Query;
        var manager = query["fieldManager"].ToString();
        if (manager.Length > 128)
        {
            throw ApiErrors.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.TooLong("fieldManager", 128)]);
        }

        return new WriteOptions
        {
            Manager = manager.Length > 0 ? manager : ManagerOf(request.Headers.UserAgent.ToString()),
            User = request.HttpContext.Items[typeof(ApiUser)] as ApiUser ?? ApiUser.Admin,
            DryRun = query["dryRun"].ToString() switch
            {
                "" => false,
                "All" => true,
                var other => throw ApiErrors.Invalid("meta.k8s.io", "CreateOptions", "", [FieldError.NotSupported("dryRun", other, "All")]),
            },
            Force = query["force"].ToString() is "true" or "1",
            Validation = query["fieldValidation"].ToString() switch
            {
                "" or "Warn" => FieldValidation.Warn,
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                var other => throw ApiErrors.Invalid("meta.k8s.io", "CreateOptions", "",
                    [FieldError.NotSupported("fieldValidation", other, "", "Ignore", "Strict", "Warn")]),
            },
        };
    }

    /// <summary>The program name at the start of a user agent, as a real server takes it.</summary>
    private static string ManagerOf(string userAgent)
    {
        var name = userAgent.Split('/')[0];
        return name.Length is 0 or > 128 ? "unknown" : name;
    }
}

/// <summary>What to do with fields that the kind does not have, or that are there twice.</summary>
internal enum FieldValidation
{
    /// <summary>Drop them and say so.</summary>
    Warn,

    /// <summary>Refuse the object.</summary>
    Strict,

    /// <summary>Drop them.</summary>
    Ignore,
}

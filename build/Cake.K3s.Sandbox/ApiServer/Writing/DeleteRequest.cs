using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>How an object is to be deleted: <c>DeleteOptions</c>, from the body or the query.</summary>
internal sealed record DeleteRequest
{
    public long? GracePeriodSeconds { get; init; }

    public Propagation Propagation { get; init; }

    /// <summary>Delete only this object, not a later one of the same name.</summary>
    public string? Uid { get; init; }

    /// <summary>Delete only this state of it.</summary>
    public string? ResourceVersion { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Who asks for it; null when the server itself does, whom no policy stops.</summary>
    public ApiUser? User { get; init; }

    /// <summary>Warnings to be sent with the answer.</summary>
    public List<string> Warnings { get; } = [];

    public static DeleteRequest Of(JsonObject? body, IQueryCollection query)
    {
        var policy = query["propagationPolicy"].ToString() is { Length: > 0 } asked ? asked : body.Text("propagationPolicy") ?? "";
        var orphan = query["orphanDependents"].ToString() is { Length: > 0 } flag ? flag == "true" : body.Flag("orphanDependents");
        var grace = long.TryParse(query["gracePeriodSeconds"], out var seconds) ? seconds : body.Integer("gracePeriodSeconds");
        return new DeleteRequest
        {
            GracePeriodSeconds = grace >= 0 || grace is null
                ? grace
                : throw ApiErrors.Invalid("meta.k8s.io", "DeleteOptions", "",
                    [FieldError.Invalid("gracePeriodSeconds", JsonValue.Create(grace.Value), "must be greater than or equal to 0")]),
            Propagation = policy switch
            {
                "" => orphan == true ? Propagation.Orphan : Propagation.Background,
                "Background" => Propagation.Background,
                "Foreground" => Propagation.Foreground,
                "Orphan" => Propagation.Orphan,
                _ => throw ApiErrors.Invalid("meta.k8s.io", "DeleteOptions", "",
                    [FieldError.NotSupported("propagationPolicy", policy, "Background", "Foreground", "Orphan")]),
            },
            Uid = body.Object("preconditions").Text("uid"),
            ResourceVersion = body.Object("preconditions").Text("resourceVersion"),
            DryRun = query["dryRun"].ToString() == "All" || body.Texts("dryRun").Contains("All"),
        };
    }
}

/// <summary>What becomes of the objects that an object owns.</summary>
internal enum Propagation
{
    /// <summary>They are deleted after it.</summary>
    Background,

    /// <summary>It goes after them.</summary>
    Foreground,

    /// <summary>They stay.</summary>
    Orphan,
}

using Microsoft.Net.Http.Headers;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>What a client wants to be shown of objects.</summary>
internal enum ObjectForm
{
    /// <summary>The objects themselves.</summary>
    Whole,

    /// <summary>The table that <c>kubectl get</c> prints.</summary>
    Table,

    /// <summary>Only their metadata.</summary>
    Metadata,
}

/// <summary>The answer to an <c>Accept</c> header.</summary>
internal sealed record ResponseForm(ObjectForm Form, string ContentType)
{
    public static ResponseForm Json { get; } = new(ObjectForm.Whole, "application/json");

    /// <summary>The first of the wanted types that this server can make.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public static ResponseForm Negotiate(string? accept)
    {
        if (string.IsNullOrEmpty(accept) || accept is "*/*" or "application/json")
        {
            return Json;
        }

        if (!MediaTypeHeaderValue.TryParseList([accept], out var types))
        {
            return Json;
        }

        foreach (var type in types)
        {
            if (!type.MatchesMediaType("application/json") && !(type.MediaType.Value is "*/*" or "application/*"))
            {
                continue;
            }

            switch (Parameter(type, "as"))
            {
                case null:
                    return Json;
                case "Table" when Parameter(type, "v") == "v1":
                    return new ResponseForm(ObjectForm.Table, "application/json");
                case "PartialObjectMetadata" or "PartialObjectMetadataList" when Parameter(type, "v") == "v1":
                    return new ResponseForm(ObjectForm.Metadata, "application/json");
            }
        }

        throw ApiErrors.NotAcceptable("application/json");
    }

    private static string? Parameter(MediaTypeHeaderValue type, string name)
        => type.Parameters.FirstOrDefault(parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value.Value;
}

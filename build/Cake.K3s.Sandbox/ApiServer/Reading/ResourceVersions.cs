using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;

namespace Cake.K3s.Sandbox.ApiServer.Reading;

/// <summary>The numbers of changes as clients send them.</summary>
internal static class ResourceVersions
{
    /// <exception cref="ApiException">It is not a number.</exception>
    public static long Parse(string text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiErrors.Invalid("meta.k8s.io", "ListOptions", "",
                [FieldError.Invalid("resourceVersion", JsonValue.Create(text), $"strconv.ParseUint: parsing \"{text}\": invalid syntax")]);
}

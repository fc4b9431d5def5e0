using System.Globalization;
using Cake.K3s.Sandbox.ApiServer.Http;

namespace Cake.K3s.Sandbox.ApiServer.Reading;

/// <summary>The numbers of changes as clients send them.</summary>
internal static class ResourceVersions
{
    /// <exception cref="ApiException">It is not a number.</exception>
    public static long Parse(string text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiErrors.BadRequest($"invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
}

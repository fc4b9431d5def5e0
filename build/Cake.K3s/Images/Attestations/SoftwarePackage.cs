namespace Cake.K3s.Images.Attestations;

/// <summary>A piece of software in an image.</summary>
/// <param name="Type">What manages it, by the purl specification: <c>deb</c>, <c>apk</c>, <c>nuget</c>, <c>npm</c>, <c>golang</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Namespace">What stands before the name: <c>debian</c>, an npm scope; null for nothing.</param>
internal sealed record SoftwarePackage(string Type, string Name, string Version, string? Namespace = null)
{
    /// <summary>The package URL (github.com/package-url/purl-spec).</summary>
    public string Purl
    {
        get
        {
            var path = Namespace is null ? Encode(Name) : $"{Encode(Namespace)}/{Encode(Name)}";
            return $"pkg:{Type}/{path}@{Encode(Version)}";
        }
    }

    // A slash divides a Go module's path and is part of no other name.
    private static string Encode(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);
}

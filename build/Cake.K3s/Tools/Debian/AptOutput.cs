using System.Collections.Immutable;
using System.Globalization;

namespace Cake.K3s.Tools.Debian;

/// <summary>Reads what apt-get prints.</summary>
internal static class AptOutput
{
    /// <summary>The packages in the output of <c>--print-uris</c>: <c>'address' name_version_architecture.deb size hash</c>.</summary>
    public static ImmutableArray<DebianPackage> Packages(string output) =>
    [
        .. output.Split('\n')
            .Where(line => line.StartsWith('\''))
            .Select(line => line.Split(' '))
            .Select(parts => Package(parts[1], long.Parse(parts[2], CultureInfo.InvariantCulture))),
    ];

    private static DebianPackage Package(string file, long size)
    {
        var parts = file.Split('_');
        return new DebianPackage(parts[0], Uri.UnescapeDataString(parts[1]), size);
    }
}

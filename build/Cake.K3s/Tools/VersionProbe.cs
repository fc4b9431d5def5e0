using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Cake.K3s.Tools;

/// <summary>How a program tells its version, and which is the lowest that will do.</summary>
/// <param name="Arguments">What makes it print its version.</param>
/// <param name="Pattern">Finds the version in the output; its first group is the number.</param>
/// <param name="Minimum">The lowest version that will do.</param>
internal sealed record VersionProbe(ImmutableArray<string> Arguments, string Pattern, Version Minimum)
{
    /// <summary>
    /// Why a program with this output is passed over, or null if it will do. One that names no version is a distribution's or
    /// somebody's own build, and is taken.
    /// </summary>
    public string? Objection(string output) =>
        Read(output) is { } version && version < Minimum ? $"is version {version}, and {Minimum} or newer is needed" : null;

    /// <summary>The version in a program's output, or null.</summary>
    public Version? Read(string output)
    {
        var match = Regex.Match(output, Pattern, RegexOptions.CultureInvariant);
        return match.Success && Version.TryParse(match.Groups[1].Value, out var version) ? version : null;
    }
}

using System.Collections.Immutable;
using System.IO.Enumeration;

namespace Cake.K3s.Tools.Debian;

/// <summary>Decides which of the packages that a program depends on are unpacked next to it.</summary>
internal static class DebianSelection
{
    // libc and the loader must be the host's own. The rest is for maintainer scripts, or for what is left out of the tools
    // anyway (LLVM with its solver, for PostgreSQL's compiler of queries).
    private static readonly ImmutableArray<string> NotUnpacked =
    [
        "libc6", "libc-*", "libpam-modules*", "libperl*", "lib*-perl", "lib*-common", "libllvm*", "libz3*", "libdebconf*",
    ];

    /// <summary>The wanted packages and their shared libraries, without all the rest.</summary>
    /// <param name="closure">Everything that they depend on.</param>
    /// <param name="wanted">Names; a <c>*</c> stands for any letters.</param>
    public static ImmutableArray<DebianPackage> WithLibraries(IEnumerable<DebianPackage> closure, IReadOnlyCollection<string> wanted) =>
        [.. closure.Where(package => Matches(package, wanted) || (IsLibrary(package) && !Matches(package, NotUnpacked)))];

    private static bool IsLibrary(DebianPackage package) =>
        package.Name.StartsWith("lib", StringComparison.Ordinal) || package.Name == "zlib1g";

    private static bool Matches(DebianPackage package, IEnumerable<string> patterns) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, package.Name, ignoreCase: false));
}

using System.Collections.Immutable;

namespace Cake.K3s.Tools.Debian;

/// <summary>
/// Debian packages without installing them: found and verified by the host's own apt with lists of its own, from the mirror that
/// the host itself uses, and unpacked into a directory. No maintainer script runs.
/// </summary>
public interface IDebianPackages
{
    /// <summary>Finds the packages' versions. The lists are brought up to date first, once a run.</summary>
    /// <param name="release">The release to take them from.</param>
    /// <param name="packages">The packages' names.</param>
    /// <param name="withDependencies">
    /// Adds everything that they depend on (not what they recommend), down to libc, as for a root file system of their own.
    /// </param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <exception cref="K3sException">There is no apt here, no mirror answers, or there is no such package (exit code 5).</exception>
    Task<ImmutableArray<DebianPackage>> ResolveAsync(
        DebianRelease release,
        IReadOnlyCollection<string> packages,
        bool withDependencies,
        CancellationToken cancellationToken);

    /// <summary>Downloads packages and unpacks them on top of what the directory holds.</summary>
    /// <param name="release">The release that they were found in.</param>
    /// <param name="packages">The packages, as found.</param>
    /// <param name="directory">Absolute path of an existing directory, which becomes the packages' root.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    /// <exception cref="K3sException">They cannot be downloaded or unpacked (exit code 5).</exception>
    Task UnpackAsync(
        DebianRelease release,
        IReadOnlyCollection<DebianPackage> packages,
        string directory,
        CancellationToken cancellationToken);
}

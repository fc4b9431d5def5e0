using System.Collections.Immutable;

namespace Cake.K3s.Tools.Debian;

/// <summary>Command lines of apt-get that leave the host's own lists, cache and packages alone. Runs nothing.</summary>
/// <param name="StateDirectory">Absolute path of the directory with the private lists.</param>
internal sealed record AptArguments(string StateDirectory)
{
    /// <summary>The file that names the archives.</summary>
    public string SourceFile => Path.Combine(StateDirectory, "archives.sources");

    /// <summary>An empty list of installed packages: what is found must not depend on what the host happens to have.</summary>
    public string StatusFile => Path.Combine(StateDirectory, "status");

    /// <summary>Its time is that of the last successful update.</summary>
    public string UpdatedFile => Path.Combine(StateDirectory, "updated");

    /// <summary>Directories that apt-get expects to be there.</summary>
    public ImmutableArray<string> Directories =>
    [
        Path.Combine(StateDirectory, "lists", "partial"),
        Path.Combine(StateDirectory, "cache", "archives", "partial"),
    ];

    /// <summary>Brings the lists up to date.</summary>
    public ImmutableArray<string> Update() => [.. Options, "-o", "APT::Update::Error-Mode=any", "update"];

    /// <summary>Prints address, file name, size and hash of exactly these packages.</summary>
    public ImmutableArray<string> PrintPackages(IEnumerable<string> packages) => [.. Options, "--print-uris", "download", .. packages];

    /// <summary>Prints the same of these packages and all that they depend on.</summary>
    public ImmutableArray<string> PrintClosure(IEnumerable<string> packages) =>
        [.. Options, "--print-uris", "--no-install-recommends", "--yes", "install", .. packages];

    /// <summary>Downloads and verifies packages into the current directory.</summary>
    public ImmutableArray<string> Download(IEnumerable<DebianPackage> packages) =>
        [.. Options, "download", .. packages.Select(package => $"{package.Name}={package.Version}")];

    private ImmutableArray<string> Options =>
    [
        "-qq",
        "-o", $"Dir::Etc::sourcelist={SourceFile}",
        "-o", "Dir::Etc::sourceparts=/dev/null",
        "-o", $"Dir::State::lists={Path.Combine(StateDirectory, "lists")}",
        "-o", $"Dir::State::status={StatusFile}",
        "-o", $"Dir::Cache={Path.Combine(StateDirectory, "cache")}",
        "-o", "Acquire::Languages=none",
        "-o", "Acquire::Retries=3",
    ];
}

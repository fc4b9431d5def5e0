using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Tools.Debian;

/// <summary>Debian packages by the host's apt-get and dpkg-deb, with lists of its own under <c>.tools/apt/</c>.</summary>
internal sealed class DebianPackages : IDebianPackages
{
    // Programs unpack to about five times their package, which is there at the same time.
    private const int UnpackedToPacked = 6;

    private readonly AptCommands _commands;
    private readonly AptLists _lists;

    public DebianPackages(ICommandRunner runner, RunOptions options, EnvironmentVariables variables, IReporter reporter, TimeProvider time)
    {
        _commands = new AptCommands(runner);
        _lists = new AptLists(_commands, options, variables, reporter, time);
    }

    public async Task<ImmutableArray<DebianPackage>> ResolveAsync(
        DebianRelease release,
        IReadOnlyCollection<string> packages,
        bool withDependencies,
        CancellationToken cancellationToken)
    {
        try
        {
            using var lists = await _lists.OpenAsync(release, cancellationToken);
            var arguments = withDependencies ? lists.Apt.PrintClosure(packages) : lists.Apt.PrintPackages(packages);
            var result = await _commands.AptGetAsync(arguments, "find Debian packages", null, cancellationToken);
            return AptOutput.Packages(result.StandardOutput);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw AptCommands.Missing(failure.Message, failure);
        }
    }

    public async Task UnpackAsync(
        DebianRelease release,
        IReadOnlyCollection<DebianPackage> packages,
        string directory,
        CancellationToken cancellationToken)
    {
        try
        {
            AptCommands.RequireRoom(directory, packages.Sum(package => package.Size) * UnpackedToPacked);
            var archives = Directory.CreateDirectory(Path.Combine(directory, ".archives")).FullName;
            using (var lists = await _lists.OpenAsync(release, cancellationToken))
            {
                await _commands.AptGetAsync(lists.Apt.Download(packages), "download Debian packages", archives, cancellationToken);
            }

            await Parallel.ForEachAsync(Directory.EnumerateFiles(archives, "*.deb"), cancellationToken, async (archive, cancelled) =>
                await _commands.RunAsync(new Command("dpkg-deb", "--extract", archive, directory) { Purpose = "unpack a Debian package" }, cancelled));
            Directory.Delete(archives, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw AptCommands.Missing(failure.Message, failure);
        }
    }
}

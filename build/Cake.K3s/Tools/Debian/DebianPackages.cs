using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Tools.Debian;

/// <summary>Debian packages by the host's apt-get and dpkg-deb, with lists of its own under <c>.tools/apt/</c>.</summary>
internal sealed class DebianPackages(
    ICommandRunner runner,
    RunOptions options,
    EnvironmentVariables variables,
    IReporter reporter,
    TimeProvider time) : IDebianPackages
{
    // What the lists of one release with its updates take, in bytes, with what apt makes of them.
    private const long ListsSize = 100_000_000;

    // Programs unpack to about five times their package, which is there at the same time.
    private const int UnpackedToPacked = 6;

    // A mirror keeps superseded packages for longer than this.
    private static readonly TimeSpan ListsAge = TimeSpan.FromHours(1);

    public async Task<ImmutableArray<DebianPackage>> ResolveAsync(
        DebianRelease release,
        IReadOnlyCollection<string> packages,
        bool withDependencies,
        CancellationToken cancellationToken)
    {
        try
        {
            var apt = await UpToDateAsync(release, cancellationToken);
            using var reading = await FileLock.SharedAsync(LockFile(apt), cancellationToken);
            var arguments = withDependencies ? apt.PrintClosure(packages) : apt.PrintPackages(packages);
            var result = await AptAsync(arguments, "find Debian packages", null, cancellationToken);
            return AptOutput.Packages(result.StandardOutput);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(failure);
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
            await DownloadAndUnpackAsync(release, packages, directory, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(failure);
        }
    }

    private async Task DownloadAndUnpackAsync(
        DebianRelease release,
        IReadOnlyCollection<DebianPackage> packages,
        string directory,
        CancellationToken cancellationToken)
    {
        var apt = await UpToDateAsync(release, cancellationToken);
        RequireRoom(directory, packages.Sum(package => package.Size) * UnpackedToPacked);
        var archives = Directory.CreateDirectory(Path.Combine(directory, ".archives")).FullName;
        using (await FileLock.SharedAsync(LockFile(apt), cancellationToken))
        {
            await AptAsync(apt.Download(packages), "download Debian packages", archives, cancellationToken);
        }

        await Parallel.ForEachAsync(Directory.EnumerateFiles(archives, "*.deb"), cancellationToken, async (archive, cancelled) =>
            await RunAsync(new Command("dpkg-deb", "--extract", archive, directory) { Purpose = "unpack a Debian package" }, cancelled));
        Directory.Delete(archives, recursive: true);
    }

    private async Task<AptArguments> UpToDateAsync(DebianRelease release, CancellationToken cancellationToken)
    {
        foreach (var program in new[] { "apt-get", "dpkg-deb" })
        {
            _ = ProgramPath.Find(program, variables["PATH"]) ?? throw Missing($"this machine has no {program}");
        }

        var host = (File.Exists("/etc/os-release") ? DebianHost.Parse(await File.ReadAllTextAsync("/etc/os-release", cancellationToken)) : null)
            ?? throw Missing("/etc/os-release names no release of a distribution");
        var codename = host.CodenameOf(release);
        var apt = new AptArguments(Path.Combine(options.ToolsDirectory, "apt", codename));
        foreach (var directory in apt.Directories)
        {
            Directory.CreateDirectory(directory);
        }

        if (IsUpToDate(apt))
        {
            return apt;
        }

        using var updating = await FileLock.ExclusiveAsync(LockFile(apt), cancellationToken);
        if (!IsUpToDate(apt))
        {
            RequireRoom(apt.StateDirectory, ListsSize);
            await WriteSourcesAsync(apt, host, codename, cancellationToken);
            var start = time.GetTimestamp();
            await AptAsync(apt.Update(), $"update the package lists of {codename}", null, cancellationToken);
            await File.WriteAllTextAsync(apt.UpdatedFile, "", CancellationToken.None);
            reporter.Step("apt", string.Create(CultureInfo.InvariantCulture, $"package lists of {codename} updated in {time.GetElapsedTime(start).TotalSeconds:0.0} s"));
        }

        return apt;
    }

    private bool IsUpToDate(AptArguments apt) =>
        File.Exists(apt.UpdatedFile) && time.GetUtcNow() - File.GetLastWriteTimeUtc(apt.UpdatedFile) <= ListsAge;

    private async Task WriteSourcesAsync(AptArguments apt, DebianHost host, string codename, CancellationToken cancellationToken)
    {
        var targets = await RunAsync(
            new Command("apt-get", "--no-release-info", "indextargets", "--format", AptArchive.Format, "Created-By: Packages"),
            cancellationToken);
        var architecture = await RunAsync(new Command("dpkg", "--print-architecture"), cancellationToken);
        var keyring = $"/usr/share/keyrings/{host.Id}-archive-keyring.gpg";
        var sources = AptMirrors.SourcesOf(
            AptArchive.ParseAll(targets.StandardOutput),
            host,
            codename,
            File.Exists(keyring) ? keyring : null,
            architecture.StandardOutput.Trim());
        await File.WriteAllTextAsync(
            apt.SourceFile,
            sources ?? throw Missing($"apt on this machine knows no mirror of {host.Codename}"),
            cancellationToken);
        await File.WriteAllTextAsync(apt.StatusFile, "", cancellationToken);
    }

    private Task<CommandResult> AptAsync(ImmutableArray<string> arguments, string purpose, string? directory, CancellationToken cancellationToken) =>
        RunAsync(
            new Command("apt-get", arguments)
            {
                Purpose = purpose,
                WorkingDirectory = directory,
                Timeout = TimeSpan.FromMinutes(10),
                Environment = ImmutableDictionary<string, string?>.Empty.Add("LC_ALL", "C").Add("DEBIAN_FRONTEND", "noninteractive"),
            },
            cancellationToken);

    private async Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
    {
        try
        {
            return await runner.RunAsync(command, cancellationToken);
        }
        catch (CommandFailedException failure)
        {
            throw new K3sException(ExitCodes.RequirementMissing, failure.Summary, failure.NextStep, failure.Details, failure);
        }
    }

    private static string LockFile(AptArguments apt) => Path.Combine(apt.StateDirectory, ".lock");

    // Checked beforehand: apt-get does not end when the disk is full, it waits.
    private static void RequireRoom(string directory, long bytes)
    {
        var free = new DriveInfo(directory).AvailableFreeSpace;
        if (free < bytes)
        {
            throw Missing(string.Create(CultureInfo.InvariantCulture, $"there is not enough space in {directory}: {free / 1e6:0} MB are free, and about {bytes / 1e6:0} MB are needed"));
        }
    }

    private static K3sException NotWritten(Exception failure) =>
        new(ExitCodes.RequirementMissing, $"no Debian packages can be fetched: {failure.Message}", innerException: failure);

    private static K3sException Missing(string why) => new(ExitCodes.RequirementMissing, $"no Debian packages can be fetched: {why}");
}

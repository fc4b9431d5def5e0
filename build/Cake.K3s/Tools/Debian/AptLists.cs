using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Tools.Debian;

/// <summary>
/// The private package lists, under <c>.tools/apt/RELEASE/</c>. Each update makes a directory of its own, which counts once the
/// update is complete: an apt-get that a killed run left behind neither blocks the next one nor writes into its lists.
/// </summary>
internal sealed class AptLists(AptCommands commands, RunOptions options, EnvironmentVariables variables, IReporter reporter, TimeProvider time)
{
    // What the lists of one release with its updates take, in bytes, with what apt makes of them.
    private const long Size = 100_000_000;

    // A mirror keeps superseded packages for longer than this.
    private static readonly TimeSpan LongestAge = TimeSpan.FromHours(1);

    /// <summary>Opens the lists of a release, after bringing them up to date if they are not; nobody removes them until disposed.</summary>
    /// <exception cref="K3sException">There is no apt here, or no mirror answers (exit code 5).</exception>
    public async Task<OpenLists> OpenAsync(DebianRelease release, CancellationToken cancellationToken)
    {
        var host = await HostAsync(cancellationToken);
        var codename = host.CodenameOf(release);
        var directory = Directory.CreateDirectory(Path.Combine(options.ToolsDirectory, "apt", codename)).FullName;
        var lockFile = Path.Combine(directory, ".lock");
        while (true)
        {
            var reading = await FileLock.SharedAsync(lockFile, cancellationToken);
            if (Current(directory) is { } current)
            {
                return new OpenLists(current, reading);
            }

            reading.Dispose();
            using var updating = await FileLock.ExclusiveAsync(lockFile, cancellationToken);
            if (Current(directory) is null)
            {
                await UpdateAsync(directory, host, codename, cancellationToken);
            }
        }
    }

    private async Task<DebianHost> HostAsync(CancellationToken cancellationToken)
    {
        const string OsRelease = "/etc/os-release";
        foreach (var program in new[] { "apt-get", "dpkg-deb" })
        {
            _ = ProgramPath.Find(program, variables["PATH"]) ?? throw AptCommands.Missing($"this machine has no {program}");
        }

        return (File.Exists(OsRelease) ? DebianHost.Parse(await File.ReadAllTextAsync(OsRelease, cancellationToken)) : null)
            ?? throw AptCommands.Missing($"{OsRelease} names no release of a distribution");
    }

    private AptArguments? Current(string directory) => Directory.EnumerateDirectories(directory)
        .Select(candidate => new AptArguments(candidate))
        .FirstOrDefault(apt => File.Exists(apt.UpdatedFile) && time.GetUtcNow() - File.GetLastWriteTimeUtc(apt.UpdatedFile) <= LongestAge);

    private async Task UpdateAsync(string directory, DebianHost host, string codename, CancellationToken cancellationToken)
    {
        foreach (var older in Directory.EnumerateDirectories(directory))
        {
            ContentStore.RemoveIfUnused(older);
        }

        AptCommands.RequireRoom(directory, Size);
        var start = time.GetTimestamp();
        var apt = new AptArguments(Path.Combine(directory, Guid.NewGuid().ToString("N")));
        foreach (var expected in apt.Directories)
        {
            Directory.CreateDirectory(expected);
        }

        await WriteSourcesAsync(apt, host, codename, cancellationToken);
        await commands.AptGetAsync(apt.Update(), $"update the package lists of {codename}", null, cancellationToken);
        await File.WriteAllTextAsync(apt.UpdatedFile, "", CancellationToken.None);
        reporter.Step("apt", string.Create(CultureInfo.InvariantCulture, $"package lists of {codename} updated in {time.GetElapsedTime(start).TotalSeconds:0.0} s"));
    }

    private async Task WriteSourcesAsync(AptArguments apt, DebianHost host, string codename, CancellationToken cancellationToken)
    {
        var targets = await commands.RunAsync(
            new Command("apt-get", "--no-release-info", "indextargets", "--format", AptArchive.Format, "Created-By: Packages"),
            cancellationToken);
        var architecture = await commands.RunAsync(new Command("dpkg", "--print-architecture"), cancellationToken);
        var keyring = $"/usr/share/keyrings/{host.Id}-archive-keyring.gpg";
        var sources = AptMirrors.SourcesOf(
            AptArchive.ParseAll(targets.StandardOutput),
            host,
            codename,
            File.Exists(keyring) ? keyring : null,
            architecture.StandardOutput.Trim());
        await File.WriteAllTextAsync(
            apt.SourceFile,
            sources ?? throw AptCommands.Missing($"apt on this machine knows no mirror of {host.Codename}"),
            cancellationToken);
        await File.WriteAllTextAsync(apt.StatusFile, "", cancellationToken);
    }
}

/// <summary>Lists that nobody removes until disposed.</summary>
internal sealed class OpenLists(AptArguments arguments, IDisposable reading) : IDisposable
{
    /// <summary>The command lines that read them.</summary>
    public AptArguments Apt => arguments;

    /// <summary>Lets them be replaced by newer ones.</summary>
    public void Dispose() => reading.Dispose();
}

using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Processes;

namespace Cake.K3s.Tools.Debian;

/// <summary>Runs apt-get and dpkg; what keeps them from their work is a requirement that is missing (exit code 5).</summary>
internal sealed class AptCommands(ICommandRunner runner)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Runs apt-get, in a language that can be read.</summary>
    public Task<CommandResult> AptGetAsync(ImmutableArray<string> arguments, string purpose, string? directory, CancellationToken cancellationToken) =>
        RunAsync(
            new Command("apt-get", arguments)
            {
                Purpose = purpose,
                WorkingDirectory = directory,
                Timeout = Limit,
                Environment = ImmutableDictionary<string, string?>.Empty.Add("LC_ALL", "C").Add("DEBIAN_FRONTEND", "noninteractive"),
            },
            cancellationToken);

    /// <summary>Runs a program.</summary>
    /// <exception cref="K3sException">It failed (exit code 5).</exception>
    public async Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
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

    /// <summary>Makes sure of room on the disk. Beforehand, because apt-get does not end when there is none: it waits.</summary>
    /// <exception cref="K3sException">There is not enough (exit code 5).</exception>
    public static void RequireRoom(string directory, long bytes)
    {
        var free = new DriveInfo(directory).AvailableFreeSpace;
        if (free < bytes)
        {
            throw Missing(string.Create(
                CultureInfo.InvariantCulture,
                $"there is not enough space in {directory}: {free / 1e6:0} MB are free, and about {bytes / 1e6:0} MB are needed"));
        }
    }

    /// <summary>Says why no packages can be fetched here.</summary>
    public static K3sException Missing(string why, Exception? cause = null) =>
        new(ExitCodes.RequirementMissing, $"no Debian packages can be fetched: {why}", "Check the network and this machine's apt sources, or install the program yourself.", innerException: cause);
}

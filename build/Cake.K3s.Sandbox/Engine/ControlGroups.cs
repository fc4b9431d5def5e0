using System.Globalization;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>The control groups of a private engine's containers, in every hierarchy: one on cgroup v2, several on v1.</summary>
internal static class ControlGroups
{
    /// <summary>Ends every process in the group and below, and removes the group.</summary>
    /// <param name="group">The group's name, with a slash in front.</param>
    /// <param name="cancellationToken">Stops in between.</param>
    public static async Task RemoveAsync(string group, CancellationToken cancellationToken)
    {
        var places = Hierarchies(File.ReadLines("/proc/self/mountinfo")).Select(hierarchy => hierarchy + group).Where(Directory.Exists).ToList();
        foreach (var process in places.SelectMany(Processes).Distinct())
        {
            await ProcessTable.EndAsync(process, Signal.Kill, TimeSpan.FromSeconds(10), cancellationToken);
        }

        foreach (var directory in places.SelectMany(Deepest).ToList())
        {
            try
            {
                // The files in it are the kernel's; rmdir(2) of the bare directory is how a group is removed.
                Directory.Delete(directory);
            }
            catch (DirectoryNotFoundException)
            {
                // A hierarchy may be mounted in two places: it went with the other one.
            }
        }
    }

    /// <summary>Where the hierarchies of a /proc/self/mountinfo are mounted.</summary>
    internal static IEnumerable<string> Hierarchies(IEnumerable<string> mountinfo) =>
        from line in mountinfo
        let halves = line.Split(" - ", 2)
        where halves.Length == 2 && halves[1].Split(' ')[0] is "cgroup" or "cgroup2"
        select halves[0].Split(' ')[4];

    private static IEnumerable<string> Deepest(string directory) =>
        Directory.EnumerateDirectories(directory).SelectMany(Deepest).Append(directory);

    private static IEnumerable<ProcessIdentity> Processes(string directory) =>
        from place in Deepest(directory)
        from line in File.ReadLines(Path.Combine(place, "cgroup.procs"))
        let process = ProcessTable.Find(int.Parse(line, CultureInfo.InvariantCulture))
        where process is not null
        select process.Value;
}

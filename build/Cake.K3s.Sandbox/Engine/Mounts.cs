using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Mounts that an engine has left.</summary>
internal static class Mounts
{
    // umount2(2): EINVAL is what an already unmounted place gives; MNT_DETACH lets busy ones go when they can.
    private const int InvalidArgument = 22;
    private const int Detach = 2;

    /// <summary>Unmounts everything at and below the given directories.</summary>
    public static void Remove(params string[] directories)
    {
        foreach (var place in Below(File.ReadLines("/proc/self/mountinfo"), directories))
        {
            if (Unmount(place, Detach) != 0 && Marshal.GetLastPInvokeError() is var error and not InvalidArgument)
            {
                throw new K3sException(
                    ExitCodes.Failed,
                    $"{place} cannot be unmounted: {Marshal.GetPInvokeErrorMessage(error)}",
                    $"Run this as root; fuser -vm {place} tells what still uses it.");
            }
        }
    }

    /// <summary>The mount points of a /proc/self/mountinfo that lie at or below one of the directories, the last mounted first.</summary>
    internal static IReadOnlyList<string> Below(IEnumerable<string> mountinfo, IReadOnlyCollection<string> directories) =>
        mountinfo
            .Select(line => Unescape(line.Split(' ')[4]))
            .Where(place => directories.Any(directory => place == directory || place.StartsWith(directory + "/", StringComparison.Ordinal)))
            .Reverse()
            .ToList();

    // Space, tab, newline and backslash are written as octal numbers: proc_pid_mountinfo(5).
    private static string Unescape(string place) =>
        place.Replace(@"\040", " ").Replace(@"\011", "\t").Replace(@"\012", "\n").Replace(@"\134", @"\");

    [DllImport("libc", EntryPoint = "umount2", SetLastError = true)]
    private static extern int Unmount([MarshalAs(UnmanagedType.LPUTF8Str)] string place, int flags);
}

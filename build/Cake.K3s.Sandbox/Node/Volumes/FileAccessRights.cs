using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Node.Volumes;

/// <summary>Groups and permission bits of files; nothing of it on systems that have none.</summary>
internal static class FileAccessRights
{
    private const uint Unchanged = uint.MaxValue;

    /// <summary>Does nothing without a group, and where there are no groups.</summary>
    /// <exception cref="Win32Exception">The process may not do that.</exception>
    public static void GiveToGroup(string path, long? group)
    {
        if (group is { } id && !OperatingSystem.IsWindows() && ChangeOwner(path, Unchanged, (uint)id) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public static void Allow(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    [DllImport("libc", EntryPoint = "lchown", SetLastError = true)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint owner, uint group);
}

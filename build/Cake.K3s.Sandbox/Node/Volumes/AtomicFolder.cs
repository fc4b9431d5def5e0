using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Node.Volumes;

/// <summary>
/// A folder of files that changes all at once: the files are links through <c>..data</c>, which is swapped by a rename, the way a
/// kubelet publishes ConfigMaps and Secrets.
/// </summary>
internal static class AtomicFolder
{
    private const string Data = "..data";

    /// <summary>Makes the folder hold these files and no others; does nothing when it does already.</summary>
    public static void Publish(string folder, IReadOnlyDictionary<string, VolumeFile> files, long? group, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        var data = Path.Combine(folder, Data);
        if (Holds(data, files))
        {
            return;
        }

        var name = ".." + now.ToString("yyyy_MM_dd_HH_mm_ss.fffffff", CultureInfo.InvariantCulture);
        var next = Path.Combine(folder, name);
        foreach (var (path, file) in files)
        {
            var target = Path.Combine(next, path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, file.Content);
            FileAccessRights.Allow(target, (UnixFileMode)(group is null ? file.Mode : file.Mode | 0x20));
            FileAccessRights.GiveToGroup(target, group);
        }

        Directory.CreateDirectory(next);
        var link = Path.Combine(folder, Data + "_tmp");
        File.Delete(link);
        File.CreateSymbolicLink(link, name);
        if (Rename(link, data) != 0)
        {
            throw new IOException($"{data} cannot be replaced: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }

        var top = files.Keys.Select(path => path.Split('/')[0]).ToHashSet();
        foreach (var entry in top.Where(entry => !File.Exists(Path.Combine(folder, entry)) && !Directory.Exists(Path.Combine(folder, entry))))
        {
            File.CreateSymbolicLink(Path.Combine(folder, entry), Path.Combine(Data, entry));
        }

        foreach (var stale in Directory.EnumerateFileSystemEntries(folder).Where(path => !Path.GetFileName(path).StartsWith("..", StringComparison.Ordinal)))
        {
            if (!top.Contains(Path.GetFileName(stale)))
            {
                File.Delete(stale);
            }
        }

        // The former content, and what a killed node may have left.
        foreach (var old in Directory.EnumerateDirectories(folder, "..2*").Where(path => Path.GetFileName(path) != name))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    // File.Move and Directory.Move both refuse a link to a folder.
    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    private static extern int Rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);

    private static bool Holds(string data, IReadOnlyDictionary<string, VolumeFile> files)
    {
        if (!Directory.Exists(data))
        {
            return false;
        }

        var present = Directory.EnumerateFiles(data + "/", "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(data, path)).ToList();
        return present.Count == files.Count && present.All(path =>
            files.TryGetValue(path, out var file) && File.ReadAllBytes(Path.Combine(data, path)).AsSpan().SequenceEqual(file.Content));
    }
}

/// <summary>One file of a volume; <paramref name="Mode"/> are permission bits.</summary>
internal sealed record VolumeFile(byte[] Content, int Mode);

using System.Formats.Tar;
using System.Text;

namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>
/// The files of one layer of an image. The same files give the same bytes, wherever and whenever they are written: sorted by
/// path, all of root's, all of one time.
/// </summary>
internal sealed class ImageTree
{
    private const UnixFileMode Directories = (UnixFileMode)0b111_101_101;
    private const UnixFileMode Programs = (UnixFileMode)0b111_101_101;
    private const UnixFileMode Files = (UnixFileMode)0b110_100_100;

    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>A directory; those above it need not be added.</summary>
    public void AddDirectory(string path, UnixFileMode mode = Directories, int owner = 0) =>
        Put(path, new Entry(TarEntryType.Directory, mode, owner));

    /// <summary>A file with a text.</summary>
    public void AddText(string path, string text) => Put(path, new Entry(TarEntryType.RegularFile, Files, 0) { Text = text });

    /// <summary>A copy of a file of this machine; of its mode only whether it may be run is kept.</summary>
    public void AddFile(string path, string source)
    {
        var mode = OperatingSystem.IsWindows() || (File.GetUnixFileMode(source) & UnixFileMode.UserExecute) == 0 ? Files : Programs;
        Put(path, new Entry(TarEntryType.RegularFile, mode, 0) { Source = source });
    }

    /// <summary>A symbolic link.</summary>
    public void AddLink(string path, string target) =>
        Put(path, new Entry(TarEntryType.SymbolicLink, (UnixFileMode)0b111_111_111, 0) { Target = target });

    /// <summary>Everything below a directory of this machine.</summary>
    /// <param name="path">Where it comes to lie; empty for the root.</param>
    /// <param name="source">The directory.</param>
    /// <param name="place">Gives the path of a file from the one it would have; null leaves it out.</param>
    public void AddTree(string path, string source, Func<string, string?>? place = null)
    {
        foreach (var item in new DirectoryInfo(source).EnumerateFileSystemInfos("*", SearchOption.TopDirectoryOnly))
        {
            var natural = path.Length == 0 ? item.Name : $"{path}/{item.Name}";
            if (item is DirectoryInfo { LinkTarget: null })
            {
                AddTree(natural, item.FullName, place);
            }
            else if ((place is null ? natural : place(natural)) is not { } wanted)
            {
                continue;
            }
            else if (item.LinkTarget is { } target)
            {
                AddLink(wanted, target);
            }
            else
            {
                AddFile(wanted, item.FullName);
            }
        }
    }

    /// <summary>Writes the layer as a tar archive.</summary>
    public async Task WriteAsync(Stream destination, CancellationToken cancellationToken)
    {
        await using var writer = new TarWriter(destination, TarEntryFormat.Gnu, leaveOpen: true);
        foreach (var (path, entry) in _entries)
        {
            await using var data = entry.Open();
            var item = new GnuTarEntry(entry.Type, entry.Type == TarEntryType.Directory ? path + "/" : path)
            {
                Mode = entry.Mode,
                Uid = entry.Owner,
                Gid = entry.Owner,
                ModificationTime = DateTimeOffset.UnixEpoch,
            };
            if (entry.Target is { } target)
            {
                item.LinkName = target;
            }

            if (data is not null)
            {
                item.DataStream = data;
            }

            await writer.WriteEntryAsync(item, cancellationToken);
        }
    }

    private void Put(string path, Entry entry)
    {
        for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            _entries.TryAdd(path[..slash], new Entry(TarEntryType.Directory, Directories, 0));
        }

        _entries[path] = entry;
    }

    private sealed record Entry(TarEntryType Type, UnixFileMode Mode, int Owner)
    {
        public string? Text { get; init; }

        public string? Source { get; init; }

        public string? Target { get; init; }

        public Stream? Open() => Source is { } file
            ? File.OpenRead(file)
            : Text is { } text ? new MemoryStream(Encoding.UTF8.GetBytes(text)) : null;
    }
}

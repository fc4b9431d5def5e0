using System.Formats.Tar;
using System.Runtime.Versioning;
using Cake.K3s.Sandbox.BaseImages;

namespace Cake.K3s.Sandbox.Tests.BaseImages;

[TestFixture]
[Platform(Exclude = "Win")]
[UnsupportedOSPlatform("windows")]
internal sealed class ImageTreeTests
{
    private string _directory;

    [SetUp]
    public void MakeFiles()
    {
        _directory = Directory.CreateTempSubdirectory("cake-k3s-tree-").FullName;
        Directory.CreateDirectory(Path.Combine(_directory, "lib"));
        File.WriteAllText(Path.Combine(_directory, "lib", "a.so"), "a");
        File.CreateSymbolicLink(Path.Combine(_directory, "lib", "a.so.1"), "a.so");
        File.WriteAllText(Path.Combine(_directory, "run"), "#!/bin/sh");
        File.SetUnixFileMode(Path.Combine(_directory, "run"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    [TearDown]
    public void RemoveFiles() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Should_GiveTheSameBytes_When_TheFilesAreOfAnotherTime()
    {
        var before = await WriteAsync(Tree());
        File.SetLastWriteTimeUtc(Path.Combine(_directory, "run"), DateTime.UnixEpoch.AddYears(40));

        Assert.That(await WriteAsync(Tree()), Is.EqualTo(before));
    }

    [Test]
    public async Task Should_HoldParentsBeforeChildrenAndLinksAsLinks_When_ATreeIsAdded()
    {
        var entries = await ReadAsync(await WriteAsync(Tree()));

        Assert.That(entries.Select(entry => entry.Name), Is.EqualTo(new[] { "run", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/a.so.1" }));
        Assert.That(entries[4].LinkName, Is.EqualTo("a.so"));
        Assert.That(entries[0].Mode, Is.EqualTo((UnixFileMode)0b111_101_101));
        Assert.That(entries[3].Mode, Is.EqualTo((UnixFileMode)0b110_100_100));
        Assert.That(entries.Select(entry => entry.Uid), Is.All.Zero);
    }

    [TestCase("lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6")]
    [TestCase("usr/bin/redis-server", "usr/bin/redis-server")]
    [TestCase("usr/share/doc/libc6/copyright", null)]
    [TestCase("lib", null)]
    public void Should_PutFilesWhereUsrmergeHasThem_When_PackagesUseOldNames(string path, string? expected)
    {
        Assert.That(BaseImageRoot.Place(path), Is.EqualTo(expected));
    }

    private ImageTree Tree()
    {
        var tree = new ImageTree();
        tree.AddTree("", _directory, path => path.StartsWith("lib/") ? "usr/" + path : path);
        return tree;
    }

    private static async Task<byte[]> WriteAsync(ImageTree tree)
    {
        using var archive = new MemoryStream();
        await tree.WriteAsync(archive, CancellationToken.None);
        return archive.ToArray();
    }

    private static async Task<List<TarEntry>> ReadAsync(byte[] archive)
    {
        var entries = new List<TarEntry>();
        using var reader = new TarReader(new MemoryStream(archive));
        while (await reader.GetNextEntryAsync(copyData: true) is { } entry)
        {
            entries.Add(entry);
        }

        return entries;
    }
}

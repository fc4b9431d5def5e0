using System.Runtime.Versioning;
using System.Text;
using Cake.K3s.Sandbox.Node.Volumes;

namespace Cake.K3s.Sandbox.Tests.Node;

[Platform(Exclude = "Win", Reason = "Volumes are made of symbolic links and permission bits.")]
[UnsupportedOSPlatform("windows")]
public sealed class AtomicFolderTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("node-volume-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Should_Hold_The_Files_With_Their_Modes_When_It_Is_Published()
    {
        Publish(("app.conf", "a=1"), ("tls/key", "secret"));

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(Path.Combine(_folder, "app.conf")), Is.EqualTo("a=1"));
            Assert.That(File.ReadAllText(Path.Combine(_folder, "tls", "key")), Is.EqualTo("secret"));
            Assert.That((int)File.GetUnixFileMode(Path.Combine(_folder, "app.conf")), Is.EqualTo(Convert.ToInt32("640", 8)));
        });
    }

    [Test]
    public void Should_Drop_What_Is_No_Longer_There_When_It_Changes()
    {
        Publish(("old", "1"), ("kept", "1"));
        Publish(("kept", "2"));

        Assert.Multiple(() =>
        {
            Assert.That(Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName).Where(name => !name!.StartsWith("..", StringComparison.Ordinal)), Is.EqualTo(new[] { "kept" }));
            Assert.That(File.ReadAllText(Path.Combine(_folder, "kept")), Is.EqualTo("2"));
            Assert.That(Directory.EnumerateDirectories(_folder, "..2*").Count(), Is.EqualTo(1), "only the present content is kept");
        });
    }

    [Test]
    public void Should_Leave_The_Content_Alone_When_Nothing_Changed()
    {
        Publish(("a", "1"));
        var before = Directory.ResolveLinkTarget(Path.Combine(_folder, "..data"), false)!.FullName;
        Publish(("a", "1"));

        Assert.That(Directory.ResolveLinkTarget(Path.Combine(_folder, "..data"), false)!.FullName, Is.EqualTo(before));
    }

    private void Publish(params (string Path, string Text)[] files) => AtomicFolder.Publish(
        _folder,
        files.ToDictionary(file => file.Path, file => new VolumeFile(Encoding.UTF8.GetBytes(file.Text), Convert.ToInt32("640", 8))),
        null,
        DateTimeOffset.UtcNow);
}

using System.Collections.Immutable;
using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Processes;
using Cake.K3s.Tests.Edge;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tests.Kubernetes;
using Cake.K3s.Tests.Kubernetes.Releases;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Operations.Contingency;

public sealed class ClusterExportTests
{
    [Test]
    public async Task Should_HoldEveryReleaseAsItWasApplied_When_Exported()
    {
        var api = new InMemoryApi().Open();
        var store = new ReleaseStore(api, "shop");
        var image = "gitea.example.com/shop/api@sha256:1111";
        await store.CreateAsync(A.Release(1), [A.Map("settings", "one")], default);
        await store.CreateAsync(A.Release(2) with { Images = ImmutableSortedDictionary<string, string>.Empty.Add("api", image) }, [A.Map("settings", "Zürich")], default);
        using var archive = new ExportArchive(A.Time);

        Assert.That(await ClusterExport.AddReleasesAsync(archive, api, "shop", default), Is.EqualTo(2));

        var files = Read(archive.Finish());
        Assert.That(files.Keys, Is.EquivalentTo(["releases/1/release.json", "releases/1/manifests.json", "releases/2/release.json", "releases/2/manifests.json", "images.json"]));
        var list = JsonNode.Parse(files["releases/2/manifests.json"])!;
        Assert.That(list.Text("kind"), Is.EqualTo("List"), "kubectl applies it as it is");
        Assert.That(list["items"]![0].Text("data", "value"), Is.EqualTo("Zürich"));
        Assert.That(JsonNode.Parse(files["images.json"]).Text("api"), Is.EqualTo(image));
    }

    [Test]
    public void Should_KeepAFileThatIsNoText_When_Added()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("x", "");
        File.WriteAllBytes(path, [0xff, 0xfe, 0x00, 0x80]);
        using var archive = new ExportArchive(A.Time);

        archive.AddFile("manifests/x", path);
        archive.Add("manifests/x.base64", "of a second one of that name");

        Assert.That(Convert.FromBase64String(Read(archive.Finish())["manifests/x.base64"]), Is.EqualTo(new byte[] { 0xff, 0xfe, 0x00, 0x80 }));
    }

    [TestCase(false, false)]
    [TestCase(false, true)]
    [TestCase(true, true)]
    public async Task Should_PutTheWholeArchiveInItsPlaceOrNothing_When_CutOff(bool isWritten, bool isKilled)
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("export.tar.age", "of yesterday");
        var age = new AgeStandIn(isWritten, isKilled ? new KilledException() : new K3sException(ExitCodes.Failed, "no space left on device", "Make some."));

        Assert.That(() => ExportAsync(age), Throws.TypeOf(isKilled ? typeof(KilledException) : typeof(K3sException)));
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo("of yesterday"));
        await ExportAsync(new AgeStandIn());

        Assert.That(Read(await File.ReadAllTextAsync(file)), Is.EqualTo(new Dictionary<string, string> { ["README.md"] = "All of it." }));
        Assert.That(Directory.GetFiles(directory.Path), Is.EqualTo(new[] { file }), "no part is left");

        async Task ExportAsync(AgeStandIn age)
        {
            using var archive = new ExportArchive(A.Time);
            archive.Add("README.md", "All of it.");
            await ClusterExport.EncryptAsync(archive, "age1", file, age, age, default);
        }
    }

    [Test]
    public void Should_SayWhere_When_NothingCanBeWrittenThere()
    {
        using var directory = new TemporaryDirectory();
        using var archive = new ExportArchive(A.Time);
        var file = Path.Combine(directory.Write("no-folder", ""), "export.tar.age");

        Assert.That(
            () => ClusterExport.EncryptAsync(archive, "age1", file, new AgeStandIn(), new AgeStandIn(), default),
            Throws.TypeOf<K3sException>().With.Message.Contains(file).And.Property(nameof(K3sException.NextStep)).Contains("--out"));
    }

    /// <summary>Writes what it is given as it is; with a fault all of it or half of it before.</summary>
    private sealed class AgeStandIn(bool writesAll = true, Exception? fault = null) : ICommandRunner, IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) => Task.FromResult(new Tool(tool, "age", System.Collections.Immutable.ImmutableDictionary<string, string?>.Empty, "test"));

        public async Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
        {
            var text = command.StandardInput!.Reveal();
            await File.WriteAllTextAsync(command.Arguments[^1], writesAll ? text : text[..(text.Length / 2)], cancellationToken);
            return fault is null ? new(0, "", "", TimeSpan.Zero) : throw fault;
        }

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();
    }

    private static Dictionary<string, string> Read(string archive)
    {
        using var reader = new TarReader(new MemoryStream(Encoding.UTF8.GetBytes(archive)));
        var files = new Dictionary<string, string>();
        while (reader.GetNextEntry() is { } entry)
        {
            using var text = new StreamReader(entry.DataStream!);
            files.Add(entry.Name, text.ReadToEnd());
        }

        return files;
    }
}

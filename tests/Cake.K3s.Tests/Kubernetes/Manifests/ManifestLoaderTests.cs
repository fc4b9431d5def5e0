using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Kubernetes.Manifests;

public sealed class ManifestLoaderTests
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("manifests-");

    [TearDown]
    public void Delete()
    {
        foreach (var entry in _root.EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo directory)
            {
                directory.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }
    }

    [OneTimeTearDown]
    public void DeleteRoot() => _root.Delete(recursive: true);

    private void Write(string file, string text)
    {
        var path = Path.Combine(_root.FullName, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private void WriteMap(string file, string name) => Write(file, $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");

    private Task<ManifestSet> LoadAsync(string? job = null, FakeKubectl? kubectl = null) =>
        new ManifestLoader(kubectl ??= new(), kubectl).LoadAsync(Inputs(job), default);

    private ManifestInputs Inputs(string? job = null, string? value = null) => new()
    {
        Root = _root.FullName,
        SettingsFile = "deploy.yaml",
        Paths = ["app"],
        MigrationJob = job,
        Namespace = "shop",
        Variables = value is null ? ImmutableDictionary<string, string>.Empty : ImmutableDictionary<string, string>.Empty.Add("VALUE", value),
        Secrets = ImmutableDictionary<string, Secret?>.Empty,
        Images = ImmutableDictionary<string, string?>.Empty,
    };

    [Test]
    public async Task Should_read_the_files_of_all_folders_in_order()
    {
        WriteMap("app/b.yml", "b");
        WriteMap("app/a/z.yaml", "z");
        Write("app/c.json", """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}""");
        Write("app/.hidden.yaml", "nothing: here");
        Write("app/notes.txt", "nothing here");

        Assert.That((await LoadAsync()).Objects.Select(manifest => manifest.Key.Name), Is.EqualTo(new[] { "z", "b", "c" }));
    }

    [Test]
    public async Task Should_keep_the_migration_apart()
    {
        WriteMap("app/a.yaml", "a");
        Write("app/migrate.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\n");

        var set = await LoadAsync("migrate.yaml");

        Assert.That(set.Objects.Select(manifest => manifest.ToString()), Is.EqualTo(new[] { "ConfigMap/a" }));
        Assert.That(set.Migration!.ToString(), Is.EqualTo("Job/migrate"));
    }

    [Test]
    public void Should_say_that_the_migration_is_no_Job()
    {
        WriteMap("app/migrate.yaml", "a");

        Assert.That(() => LoadAsync("migrate.yaml"), Throws.TypeOf<SettingsException>().With.Message.StartsWith("app/migrate.yaml:1:1: the migration is a Job"));
    }

    [Test]
    public void Should_name_both_places_When_an_object_is_there_twice()
    {
        WriteMap("app/a.yaml", "same");
        Write("app/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same, namespace: shop}\n");

        Assert.That(
            () => LoadAsync(),
            Throws.TypeOf<SettingsException>().With.Property("Summary").EqualTo("app/b.yaml:1:1: ConfigMap/same is there twice; the first is at app/a.yaml:1:1"));
    }

    [Test]
    public void Should_say_that_a_folder_is_missing()
    {
        Assert.That(() => LoadAsync(), Throws.TypeOf<SettingsException>().With.Message.StartsWith("deploy.yaml: manifests: there is no app"));
    }

    [Test]
    public async Task Should_build_a_folder_that_has_a_kustomization()
    {
        WriteMap("app/base.yaml", "unseen");
        Write("app/kustomization.yaml", "resources: [base.yaml]");
        var kubectl = new FakeKubectl { Output = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: built}\n" };

        var set = await LoadAsync(kubectl: kubectl);

        Assert.That(set.Objects.Single().Key.Name, Is.EqualTo("built"));
        Assert.That(kubectl.Ran!.Arguments, Is.EqualTo(new[] { "kustomize", Path.Combine(_root.FullName, "app") }));
    }

    [Test]
    public async Task Should_read_once_When_nothing_has_changed()
    {
        WriteMap("app/a.yaml", "a");
        var loader = new ManifestLoader(new FakeKubectl(), new FakeKubectl());

        var first = await loader.LoadAsync(Inputs(value: "1"), default);

        Assert.That(await loader.LoadAsync(Inputs(value: "1"), default), Is.SameAs(first));
    }

    [Test]
    public async Task Should_read_again_When_a_value_is_another()
    {
        Write("app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"${VALUE}\"}\n");
        var loader = new ManifestLoader(new FakeKubectl(), new FakeKubectl());
        await loader.LoadAsync(Inputs(value: "one"), default);

        Assert.That((await loader.LoadAsync(Inputs(value: "two"), default)).Objects.Single().Key.Name, Is.EqualTo("two"));
    }

    [Test]
    public async Task Should_read_again_When_a_task_has_written_a_file()
    {
        WriteMap("app/a.yaml", "a");
        var loader = new ManifestLoader(new FakeKubectl(), new FakeKubectl());
        await loader.LoadAsync(Inputs(), default);
        WriteMap("app/deeper/b.yaml", "b");

        Assert.That((await loader.LoadAsync(Inputs(), default)).Objects.Select(manifest => manifest.Key.Name), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task Should_build_a_kustomization_again_When_its_bases_may_have_changed()
    {
        Write("app/kustomization.yaml", "resources: [../base]");
        var kubectl = new FakeKubectl { Output = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: before}\n" };
        var loader = new ManifestLoader(kubectl, kubectl);
        await loader.LoadAsync(Inputs(), default);
        kubectl.Output = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after}\n";

        Assert.That((await loader.LoadAsync(Inputs(), default)).Objects.Single().Key.Name, Is.EqualTo("after"));
    }

    private sealed class FakeKubectl : ICommandRunner, IToolbox
    {
        public string Output { get; set; } = "";

        public Command? Ran { get; private set; }

        public Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
        {
            Ran = command;
            return Task.FromResult(new CommandResult(0, Output, "", TimeSpan.Zero));
        }

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();

        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            Task.FromResult(new Tool(tool, "/bin/kubectl", ImmutableDictionary<string, string?>.Empty, "PATH"));
    }
}

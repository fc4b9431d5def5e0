using Cake.K3s.Hosting;
using Cake.K3s.Scaffolding;
using Cake.K3s.Settings;
using Cake.K3s.Settings.Schema;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Scaffolding;

public sealed class AppScaffoldTests
{
    private TemporaryDirectory _app = null!;
    private RecordingReporter _reporter = null!;

    [SetUp]
    public void MakeApp()
    {
        _app = new TemporaryDirectory();
        _reporter = new RecordingReporter();
    }

    [TearDown]
    public void RemoveApp() => _app.Dispose();

    [Test]
    public void Should_WriteSettingsThatTheReaderAccepts_When_TheAppIsOneImage()
    {
        _app.Write("Dockerfile", "ARG BASE\nFROM ${BASE}\nEXPOSE 3000\nUSER 1000\n");

        Write();

        var settings = new SettingsReader().Read(_app.File("deploy.yaml"));
        var sandbox = settings.Environments["sandbox"];
        Assert.That(settings.Images, Has.Count.EqualTo(1));
        Assert.That(sandbox.Sandbox!.IngressPort, Is.Zero, "a fixed port meets that of another sandbox");
        Assert.That(sandbox.Variables, Contains.Key("HOST"));
        Assert.That(sandbox.Arguments.Values.Single()["BASE"], Is.EqualTo("sandbox://aspnet"));
    }

    [Test]
    public void Should_WriteAnEnvironmentForEachContext_When_ThereAreSeveral()
    {
        _app.Write("Dockerfile", "FROM scratch\n");
        var kubeconfig = _app.Write("config", "contexts: [{name: Hetzner_prod}, {name: staging}]");

        Write(name => name == "KUBECONFIG" ? kubeconfig : null);

        var settings = new SettingsReader().Read(_app.File("deploy.yaml"));
        Assert.That(settings.Environments.Keys, Is.EquivalentTo(["sandbox", "hetzner-prod", "staging"]));
        Assert.That(settings.Environments["hetzner-prod"].Cluster!.Context, Is.EqualTo("Hetzner_prod"));
    }

    [Test]
    public void Should_UseTheManifests_When_ThereAreSome()
    {
        _app.Write("Dockerfile", "FROM scratch\n");
        _app.Write("k8s/app.yaml", "apiVersion: v1\nkind: Secret\nstringData: {url: \"${DATABASE_URL}\", key: \"${API_KEY}\"}\n");

        Write();

        var settings = new SettingsReader().Read(_app.File("deploy.yaml"));
        Assert.That(settings.Manifests, Is.EqualTo(["k8s"]));
        Assert.That(settings.Environments["sandbox"].Secrets["DATABASE_URL"].Sandbox, Is.EqualTo(SandboxService.Postgres));
        Assert.That(settings.Environments["sandbox"].Secrets["API_KEY"].Variable, Is.EqualTo("API_KEY"));
        Assert.That(_app.File("manifests"), Does.Not.Exist);
    }

    [Test]
    public void Should_LeaveEveryFileAsItIs_When_ItIsThereAlready()
    {
        _app.Write("Dockerfile", "FROM scratch\nEXPOSE 80\n");
        _app.Write("manifests/app/namespace.yaml", "# mine\n");
        _app.Write(".gitignore", "/.sandbox\n");

        Write();

        Assert.That(File.ReadAllText(_app.File("manifests", "app", "namespace.yaml")), Is.EqualTo("# mine\n"));
        Assert.That(File.ReadAllText(_app.File(".gitignore")), Is.EqualTo("/.sandbox\n"));
        Assert.That(_reporter.Lines, Has.Some.Contain(".gitignore is there already").And.Contain("/artifacts/").And.Not.Contain(".sandbox"));
    }

    [Test]
    public void Should_Refuse_When_ThereAreSettingsAlready()
    {
        _app.Write("Dockerfile", "FROM scratch\n");
        var settings = _app.Write("deploy.yaml", "app: mine\n");

        var failure = Assert.Throws<K3sException>(() => Write())!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.BadInput));
        Assert.That(failure.NextStep, Does.Contain("--working="));
        Assert.That(File.ReadAllText(settings), Is.EqualTo("app: mine\n"));
    }

    [Test]
    public void Should_SayWhatIsMissing_When_ThereIsNoDockerfile()
    {
        var failure = Assert.Throws<K3sException>(() => Write())!;

        Assert.That(failure.Summary, Does.Contain("no Dockerfile"));
        Assert.That(Directory.EnumerateFileSystemEntries(_app.Path), Is.Empty);
    }

    [Test]
    public void Should_PointAtTheImagesLine_When_AManifestNamesWhatIsBuiltElsewhere()
    {
        _app.Write("notes/Dockerfile", "FROM scratch\n");
        _app.Write("k8s/app.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ghcr.io/ann/notes:1\n    - image: redis\n");

        Write();

        Assert.That(_reporter.Lines, Has.Some.StartWith("k8s/app.yaml:5 names ghcr.io/ann/notes:1; write \"image: notes\""));
        Assert.That(_reporter.Lines, Has.Some.StartWith("k8s/app.yaml:6 names redis, which no Dockerfile here builds"));
    }

    [Test]
    public void Should_CarryTheSchema_When_TheLibraryIsBuilt() =>
        Assert.That(SchemaFile.OfLibrary(), Is.EqualTo(File.ReadAllText(SourceTree.File("deploy.schema.json"))));

    private void Write(Func<string, string?>? variables = null)
    {
        var known = new EnvironmentVariables(variables ?? (_ => null));
        var options = new RunOptions { Root = _app.Path, SettingsFile = _app.File("deploy.yaml"), WorkingDirectory = _app.Path };
        new AppScaffold(options, new AppSurveyor(known), known, _reporter).Write();
    }
}

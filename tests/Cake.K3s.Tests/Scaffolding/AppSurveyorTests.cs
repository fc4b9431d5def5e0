using Cake.K3s.Scaffolding;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Scaffolding;

public sealed class AppSurveyorTests
{
    private TemporaryDirectory _app = null!;

    [SetUp]
    public void MakeApp() => _app = new TemporaryDirectory();

    [TearDown]
    public void RemoveApp() => _app.Dispose();

    [Test]
    public void Should_NameEachImage_When_ThereAreSeveralDockerfiles()
    {
        _app.Write("api/Dockerfile", "FROM scratch\n");
        _app.Write("web/Dockerfile", "FROM scratch\n");
        _app.Write("web/worker.Dockerfile", "FROM scratch\n");
        _app.Write("Dockerfile.migrate", "FROM scratch\n");
        _app.Write("web/node_modules/other/Dockerfile", "FROM scratch\n");
        _app.Write("web/Dockerfile.dockerignore", "*\n");

        var images = Look().Images;

        Assert.That(images.Keys, Is.EqualTo(["api", "migrate", "web", "worker"]));
        Assert.That(images["worker"], Has.Property("Context").EqualTo("web").And.Property("DockerfilePath").EqualTo("worker.Dockerfile"));
    }

    [Test]
    public void Should_BuildFromTheRoot_When_TheDockerfileCopiesFromThere()
    {
        _app.Write("go.mod", "module notes\n");
        _app.Write("cmd/api/main.go", "package main\n");
        _app.Write("deploy/Dockerfile", "FROM golang AS build\nCOPY go.mod ./\nCOPY cmd/ cmd/\nFROM scratch\nCOPY --from=build /api /api\n");

        var image = Look().Images.Values.Single();

        Assert.That(image, Has.Property("Context").EqualTo(".").And.Property("DockerfilePath").EqualTo("deploy/Dockerfile"));
        Assert.That(image.Missing, Is.Empty);
    }

    [Test]
    public void Should_PublishIntoWhatIsCopied_When_ItIsADotnetApp()
    {
        _app.Write("Dockerfile", "FROM base\nCOPY out/ .\n");
        _app.Write("Notes.csproj", "<Project/>");

        var image = Look().Images.Values.Single();

        Assert.That(image.Prepare, Does.StartWith("dotnet publish").And.Contain("-o out"));
        Assert.That(image.Missing, Is.Empty);
    }

    [Test]
    public void Should_ReadPortAndUserOfTheLastStage_When_ThereAreSeveral()
    {
        var dockerfile = Dockerfile.Parse("ARG BASE\nFROM node AS build\nEXPOSE 9229\nUSER node\nFROM ${BASE}\nEXPOSE 3000 3001\nUSER 1000:1000\n");

        Assert.That(dockerfile.Port, Is.EqualTo(3000));
        Assert.That(dockerfile.User, Is.EqualTo("1000"));
        Assert.That(dockerfile.BaseArguments, Is.EqualTo(["BASE"]));
    }

    [Test]
    public void Should_TellVariablesFromSecrets_When_ManifestsNameThem()
    {
        _app.Write("k8s/app.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: ${REPLICAS}\n  image: ghcr.io/ann/notes:1.2\n---\napiVersion: v1\nkind: Secret\nstringData:\n  url: ${DATABASE_URL}\n");
        _app.Write("k8s/ingress/web.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nhost: ${HOST}\nnamespace: ${NAMESPACE}\n");
        _app.Write("docker-compose.yml", "services: {}\n");
        _app.Write("chart/templates/app.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\n");

        var manifests = Look().Manifests!;

        Assert.That(manifests.Folders, Is.EqualTo(["k8s"]));
        Assert.That(manifests.Variables, Is.EqualTo(["HOST", "REPLICAS"]));
        Assert.That(manifests.Secrets, Is.EqualTo(["DATABASE_URL"]));
        Assert.That(manifests.Images, Is.EqualTo([new NamedImage("k8s/app.yaml:5", "ghcr.io/ann/notes:1.2")]));
    }

    [Test]
    public void Should_TakeTheOverlay_When_ManifestsAreKustomized()
    {
        _app.Write("k8s/base/app.yaml", "apiVersion: apps/v1\nkind: Deployment\n");
        _app.Write("k8s/base/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - app.yaml\n");
        _app.Write("k8s/overlays/production/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../../base\n");

        Assert.That(Look().Manifests!.Folders, Is.EqualTo(["k8s/overlays/production"]));
    }

    [Test]
    public void Should_ListOnlyClustersElsewhere_When_ThereIsAKubeconfig()
    {
        var kubeconfig = _app.Write("config", "contexts:\n- {name: kind-test}\n- {name: hetzner}\n");

        var survey = new AppSurveyor(new EnvironmentVariables(name => name == "KUBECONFIG" ? kubeconfig : null)).Look(_app.Path);

        Assert.That(survey.Contexts, Is.EqualTo(["hetzner"]));
        Assert.That(survey.Kubeconfig, Is.EqualTo(kubeconfig));
    }

    [Test]
    public void Should_FindNoContexts_When_TheKubeconfigIsBroken()
    {
        var kubeconfig = _app.Write("config", "contexts: [");

        Assert.That(new AppSurveyor(new EnvironmentVariables(_ => kubeconfig)).Look(_app.Path).Contexts, Is.Empty);
    }

    [TestCase("git@git.example.com:Ann/Notes.git", "git.example.com/ann/notes")]
    [TestCase("https://ann:token@git.example.com/ann/notes", "git.example.com/ann/notes")]
    [TestCase("ssh://git@git.example.com:2222/ann/notes.git", "git.example.com/ann/notes")]
    [TestCase("https://github.com/ann/notes.git", "ghcr.io/ann/notes")]
    [TestCase("/srv/git/notes.git", null)]
    public void Should_KnowTheRegistryBesideTheGitServer(string remote, string? registry) =>
        Assert.That(AppSurveyor.RegistryOf(remote), Is.EqualTo(registry));

    [TestCase("My_App 2", "my-app-2")]
    [TestCase("--", "app")]
    public void Should_MakeADnsLabel(string text, string label) => Assert.That(AppSurveyor.Label(text), Is.EqualTo(label));

    private AppSurvey Look() => new AppSurveyor(new EnvironmentVariables(_ => null)).Look(_app.Path);
}

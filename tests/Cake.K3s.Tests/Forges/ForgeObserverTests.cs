using System.Net;
using Cake.K3s.Forges;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Forges;

/// <summary>Against a stand-in for Gitea; see <see cref="GiteaServer"/>.</summary>
public sealed class ForgeObserverTests
{
    private const string Settings = """
        app: notes
        images: {notes: {context: .}}
        environments:
          sandbox: {sandbox: {}}
          production: {cluster: {kubeconfig: config}, registry: {address: registry.example.com}}
        """;

    private GiteaServer _server = null!;
    private TemporaryDirectory _directory = null!;
    private LogRecorder _log = null!;

    [SetUp]
    public void SetUp()
    {
        _server = new GiteaServer();
        _directory = new TemporaryDirectory();
        _log = new LogRecorder();
    }

    [TearDown]
    public void TearDown()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Test]
    public async Task Should_SetAStatusForEachTaskAndTheWhole_When_ARunGoesOn()
    {
        await RunAsync(
            "production",
            new RunStarted("Deploy", ["Lint", "Deploy"]),
            new TaskStarted("Lint"),
            new TaskEnded("Lint", TaskOutcome.Succeeded, TimeSpan.FromSeconds(2), null),
            new TaskStarted("Push"),
            new TaskEnded("Push", TaskOutcome.Failed, TimeSpan.FromSeconds(1), "registry did not answer " + new string('x', 200)),
            new RunEnded(1, "registry did not answer", "Try again.", []));

        Assert.That(_server.Wrong, Is.Empty);
        Assert.That(_server.Statuses.Select(status => (status.Context, status.State)), Is.EqualTo([
            ("cake-k3s/production/Deploy", "pending"),
            ("cake-k3s/production/Deploy/Lint", "pending"),
            ("cake-k3s/production/Deploy/Lint", "success"),
            ("cake-k3s/production/Deploy/Push", "pending"),
            ("cake-k3s/production/Deploy/Push", "failure"),
            ("cake-k3s/production/Deploy", "failure"),
        ]));
        Assert.That(_server.Statuses, Has.All.Matches<(string, string, string Description)>(status => status.Description.Length <= 140));
        Assert.That(_log.Lines, Is.Empty);
    }

    [Test]
    public async Task Should_UpdateItsComment_When_AnotherPlanIsMade()
    {
        _server.Comments[1] = "Looks good to me";
        await RunAsync("production", new RunStarted("Plan", ["Plan"]), new PlanMade("first"), new RunEnded(0, null, null, []));
        await RunAsync("production", new RunStarted("Plan", ["Plan"]), new PlanMade("second"), new RunEnded(0, null, null, []));

        Assert.That(_server.Wrong, Is.Empty);
        Assert.That(_server.Comments, Has.Count.EqualTo(2));
        Assert.That(_server.Comments.Values, Has.One.Contain("second").And.None.Contain("first"));
    }

    [Test]
    public async Task Should_MakeAReleaseWithWhatChanged_When_OneIsVerified()
    {
        await DeployAsync(11);
        await DeployAsync(12);
        await DeployAsync(12);

        Assert.That(_server.Wrong, Is.Empty);
        Assert.That(_server.Releases.Select(release => release.Tag), Is.EqualTo(["production-11", "production-12"]));
        var last = _server.Releases.Last();
        Assert.That(last.Title, Is.EqualTo("notes in production: release 12"));
        Assert.That(last.Commit, Is.EqualTo("0123abcd"));
        Assert.That(last.Notes, Does.Contain("| notes | `registry.example.com/notes@sha256:12` |").And.Contain("- Answer faster (0123abcd)").And.Contain("compare/production-11...0123abcd"));
    }

    [Test]
    public async Task Should_MakeNoRelease_When_ItIsTheSandbox()
    {
        await DeployAsync(1, "sandbox");

        Assert.That(_server.Releases, Is.Empty);
        Assert.That(_server.Statuses, Is.Not.Empty);
    }

    [TestCase(HttpStatusCode.Forbidden)]
    [TestCase(HttpStatusCode.InternalServerError)]
    [TestCase(HttpStatusCode.NotFound)]
    public async Task Should_WarnOnce_When_TheServerRefuses(HttpStatusCode refusal)
    {
        _server.Refusal = refusal;

        await DeployAsync(1);

        Assert.That(_log.Lines, Has.Count.EqualTo(1));
        Assert.That(_log.Lines[0], Does.StartWith("Warning forge: 127.0.0.1 was not told").And.Not.Contain(GiteaServer.Token));
    }

    [Test]
    public async Task Should_WarnOnce_When_NoServerIsThere()
    {
        _server.Dispose();

        await DeployAsync(1);

        Assert.That(_log.Lines, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Should_TellNothing_When_TheJobHasNoToken()
    {
        await RunAsync("production", Job() with { Token = null }, new RunStarted("Deploy", ["Deploy"]), new RunEnded(0, null, null, []));

        Assert.That(_server.Statuses, Is.Empty);
    }

    [Test]
    public async Task Should_TellOfAFailure_When_TheSettingsAreWrong()
    {
        await RunAsync("prodution", new RunStarted("Deploy", ["Deploy"]), new RunEnded(2, "there is no environment 'prodution'", null, []));

        Assert.That(_server.Statuses.Last(), Is.EqualTo(("cake-k3s/prodution/Deploy", "failure", "there is no environment 'prodution'")));
    }

    private Task DeployAsync(int release, string environment = "production") => RunAsync(
        environment,
        new RunStarted("Deploy", ["Deploy"]),
        new ImagePushed("notes", $"registry.example.com/notes@sha256:{release}", [], 0, ""),
        new ReleaseChanged(release, "Verified", "0123abcd", false, "ann@runner", null, null),
        new VerdictReached($"release {release}", $"release {release} is verified", [], [], null),
        new RunEnded(0, null, null, []));

    private Task RunAsync(string environment, params RunEvent[] events) => RunAsync(environment, Job(), events);

    private async Task RunAsync(string environment, ForgeJob job, params RunEvent[] events)
    {
        var options = new RunOptions { Root = _directory.Path, SettingsFile = _directory.Write("deploy.yaml", Settings), Environment = environment };
        var run = new PipelineRun(options, new SettingsReader(), []);
        await using var observer = new ForgeObserver(job, new Lazy<PipelineRun>(run), _log, new SecretMask());
        foreach (var runEvent in events)
        {
            observer.Observe(runEvent);
        }
    }

    private ForgeJob Job() => new(_server.Address, new Uri(_server.Address, "api/v1/"), "ann", "notes", "0123abcd", 7, new Uri(_server.Address, "ann/notes/actions/runs/3"), new Secret(GiteaServer.Token), null);
}

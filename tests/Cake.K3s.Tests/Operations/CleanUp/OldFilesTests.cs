using System.Collections.Immutable;
using Cake.K3s.Hardening;
using Cake.K3s.Hosting;
using Cake.K3s.Operations.CleanUp;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tests.Hardening;
using LibGit2Sharp;

namespace Cake.K3s.Tests.Operations.CleanUp;

public sealed class OldFilesTests
{
    private const string Stack = "version: \"3.8\"\nservices:\n  api:\n    image: api\n    deploy:\n      replicas: 3\n      placement:\n        constraints: [node.role == manager]\n";
    private TemporaryDirectory _directory;
    private RecordingReporter _reporter;

    [SetUp]
    public void Make()
    {
        _directory = new TemporaryDirectory();
        _reporter = new RecordingReporter();
    }

    [TearDown]
    public void Delete() => _directory.Dispose();

    [TestCase("docker-stack.yml", Stack, true)]
    [TestCase("compose.yaml", "services:\n  api:\n    image: api\n    ports: [\"80:80\"]\n", false)]
    [TestCase("manifests/app/api.yaml", "kind: Deployment\nspec:\n  mode: x\n", false)]
    [TestCase("scripts/deploy.sh", "docker stack deploy -c docker-stack.yml app\n", true)]
    [TestCase("scripts/build.sh", "docker build .\n", false)]
    [TestCase("secrets.example.yaml", "A: b\n", true)]
    [TestCase(".secrets.example", "A=b\n", true)]
    [TestCase("docs/secrets.md", "docker swarm init\n", false)]
    public void Should_know_what_is_left_over(string path, string text, bool isOld) => Assert.That(LeftOver.Judge(path, () => text) is not null, Is.EqualTo(isOld));

    [Test]
    public async Task Should_delete_nothing_unless_confirmed_and_nothing_that_git_does_not_have()
    {
        Commit(("docker-stack.yml", Stack), ("secrets.example.yaml", "A: b\n"), ("keep.yaml", "a: 1\n"));
        _directory.Write("secrets.example.yaml", "A: not committed\n");

        await CleanUpAsync(confirm: false);
        var shown = Exists("docker-stack.yml");
        await CleanUpAsync(confirm: true);
        var deleted = !Exists("docker-stack.yml");
        await CleanUpAsync(confirm: true);

        Assert.Multiple(() =>
        {
            Assert.That((shown, deleted), Is.EqualTo((true, true)));
            Assert.That(Exists("secrets.example.yaml") && Exists("keep.yaml"), Is.True);
            Assert.That(_reporter.Lines, Has.Some.Contains("would delete docker-stack.yml").And.Some.Contains("secrets.example.yaml stays"));
            Assert.That(_reporter.Lines[^1], Does.StartWith("1 old files, 0 nodes"));
        });
    }

    [TestCase(false, new[] { "plan" }, "would change on node-1")]
    [TestCase(true, new[] { "plan", "apply", "verify" }, "now change on node-1")]
    public async Task Should_take_the_rules_of_a_Swarm_from_the_nodes_only_when_confirmed(bool confirm, string[] calls, string said)
    {
        Commit(("keep.yaml", "a: 1\n"));
        var rules = new FakeControl("LegacyFirewallRules");

        await CleanUpAsync(confirm, rules, new NodeSettings { Name = "node-1", Host = "192.0.2.1" });

        Assert.That(rules.Calls, Is.EqualTo(calls));
        Assert.That(_reporter.Lines, Has.Some.Contains(said));
        Assert.That(_reporter.Lines[^1], Does.StartWith("0 old files, 1 nodes").And.EndsWith(confirm ? "Swarm" : "--confirm removes it"));
    }

    private bool Exists(string path) => File.Exists(Path.Combine(_directory.Path, path));

    private void Commit(params (string Path, string Text)[] files)
    {
        Repository.Init(_directory.Path);
        using var repository = new Repository(_directory.Path);
        foreach (var (path, text) in files)
        {
            _directory.Write(path, text);
            Commands.Stage(repository, path);
        }

        var author = new Signature("t", "t@example.com", DateTimeOffset.UnixEpoch);
        repository.Commit("all", author, author);
    }

    private async Task CleanUpAsync(bool confirm, FakeControl? rules = null, params ImmutableArray<NodeSettings> nodes)
    {
        var settings = new DeploySettings
        {
            App = "shop",
            File = Path.Combine(_directory.Path, "deploy.yaml"),
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", new() { Name = "test", Nodes = nodes }),
        };
        var run = new PipelineRun(new RunOptions { Root = _directory.Path, SettingsFile = settings.File, Environment = "test", Confirm = confirm }, settings, null!);
        var controls = new ControlSet([rules ?? new FakeControl("LegacyFirewallRules")]);
        await new OldFiles(run, controls, new Hardener(run, controls, _reporter, _ => { }), _reporter).CleanUpAsync();
    }
}

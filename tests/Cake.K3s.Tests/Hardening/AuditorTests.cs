using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Engine;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Hardening;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class AuditorTests
{
    private readonly RecordingConsole _console = new();
    private readonly SecretMask _mask = new();
    private TemporaryDirectory _root = null!;

    [SetUp]
    public void MakeRoot() => _root = new TemporaryDirectory();

    [TearDown]
    public void RemoveRoot() => _root.Dispose();

    [Test]
    public async Task Should_ShowATable_When_Audited()
    {
        await Auditor([new FakeControl("SshPort"), new FakeControl("Other") { State = ControlState.InPlace }]).AuditAsync();

        Assert.That(_console.Lines, Is.EqualTo(new[]
        {
            "CONTROL  TARGET  STATE     SUMMARY",
            "SshPort  node-1  missing   summary",
            "Other    node-1  in place  summary",
        }));
    }

    [Test]
    public async Task Should_WriteEveryFinding_When_Audited()
    {
        await Auditor([new FakeControl("SshPort")]).AuditAsync();

        var findings = JsonNode.Parse(await File.ReadAllTextAsync(_root.File("artifacts", "audit", "production.json")))!["findings"]!;
        Assert.That((string?)findings[0]!["state"], Is.EqualTo("missing"));
    }

    [TestCase(ControlState.InPlace, "pass", "none")]
    [TestCase(ControlState.Missing, "fail", "warning")]
    [TestCase(ControlState.Drifted, "fail", "warning")]
    [TestCase(ControlState.Unfinished, "fail", "error")]
    [TestCase(ControlState.Unknown, "open", "none")]
    [TestCase(ControlState.NotApplicable, "notApplicable", "none")]
    public async Task Should_TellCodeHosts_When_Audited(ControlState state, string kind, string level)
    {
        await Auditor([new FakeControl("SshPort") { State = state }]).AuditAsync();

        var result = JsonNode.Parse(await File.ReadAllTextAsync(_root.File("artifacts", "audit", "production.sarif")))!["runs"]![0]!["results"]![0]!;
        Assert.That(((string?)result["kind"], (string?)result["level"]), Is.EqualTo((kind, level)));
    }

    [Test]
    public async Task Should_HideSecrets_When_AFindingShowsOne()
    {
        _mask.Add(new Secret("summary"));

        await Auditor([new FakeControl("SshPort")]).AuditAsync();

        Assert.That(_console.Lines[^1], Does.EndWith("***"));
    }

    [Test]
    public async Task Should_ShowTheOthers_When_OneCannotBeRead()
    {
        var failure = new K3sException(ExitCodes.Failed, "the API does not answer");

        await Auditor([new FakeControl("Broken") { AuditFailure = failure }, new FakeControl("SshPort")]).AuditAsync();

        Assert.That(_console.Lines[1], Does.Contain("unknown").And.Contain("the API does not answer"));
        Assert.That(_console.Lines[2], Does.StartWith("SshPort"));
    }

    [Test]
    public async Task Should_ShowTheseAlone_When_ControlsAreNamed()
    {
        await Auditor([new FakeControl("SshPort"), new FakeControl("Fail2Ban")], named: ["Fail2Ban"]).AuditAsync();

        Assert.That(_console.Lines[1], Does.StartWith("Fail2Ban"));
        Assert.That(_console.Lines, Has.None.StartsWith("SshPort"));
    }

    [TestCase(ControlState.Missing, true)]
    [TestCase(ControlState.Unknown, true)]
    [TestCase(ControlState.InPlace, false)]
    [TestCase(ControlState.NotApplicable, false)]
    public void Should_FailOnDrift_When_AControlIsNotInPlace(ControlState state, bool fails)
    {
        var auditor = Auditor([new FakeControl("SshPort") { State = state }], failOnDrift: true);

        Assert.That(auditor.AuditAsync, fails ? Throws.TypeOf<K3sException>() : Throws.Nothing);
    }

    private Auditor Auditor(IControl[] controls, bool failOnDrift = false, params ImmutableArray<string> named)
    {
        var options = new RunOptions { Root = _root.Path, SettingsFile = _root.File("deploy.yaml"), Environment = "production", FailOnDrift = failOnDrift, Controls = named };
        var production = new EnvironmentSettings { Name = "production", Cluster = new() { Kubeconfig = "k" } };
        var settings = new DeploySettings { App = "app", Images = ImmutableDictionary<string, ImageSettings>.Empty, Environments = new Dictionary<string, EnvironmentSettings> { ["production"] = production }.ToImmutableDictionary() };
        return new Auditor(new PipelineRun(options, settings, null!), new ControlSet(controls), new RecordingReporter(), _console, _mask);
    }
}

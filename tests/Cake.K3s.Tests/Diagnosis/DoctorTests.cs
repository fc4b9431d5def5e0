using System.Collections.Immutable;
using Cake.K3s.Diagnosis;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Engine;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Diagnosis;

public sealed class DoctorTests
{
    private const string Settings = "app: notes\nimages: {notes: {context: .}}\nenvironments: {sandbox: {sandbox: {}}}\n";

    private readonly SecretMask _mask = new();
    private readonly FakeTimeProvider _time = new();
    private TemporaryDirectory _directory = null!;
    private RecordingConsole _console = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _console = new RecordingConsole();
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_EndWell_When_NothingIsWrong()
    {
        await ExamineAsync(Settings, new Found(Observation.Good("tool", "1.0"), Observation.Warning("disk", "small", "Free some.")));

        Assert.That(_console.Lines, Has.Some.Match(@"^ok +tool +1\.0$"));
        Assert.That(_console.Lines, Has.Some.Match(@"^warning +disk +small$"));
        Assert.That(_console.Lines, Has.Some.EndWith("Next: Free some."));
    }

    [Test]
    public void Should_FailWithTheNumberOfWrongs_When_SeveralCheckupsFindSome()
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => ExamineAsync(
            Settings,
            new Found(Observation.Wrong("a", "gone", "Get it.")),
            new Failing(new K3sException(ExitCodes.Failed, "no answer", "Ask again."))))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Summary, Does.StartWith("2 things"));
        Assert.That(_console.Lines, Has.Some.Match(@"^WRONG +failing +no answer$").And.Some.EndWith("Next: Ask again."));
    }

    [Test]
    public void Should_StillLookAtTheMachine_When_TheSettingsAreWrong()
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => ExamineAsync("appp: notes\n", new Failing(new InvalidOperationException())))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.BadInput));
        Assert.That(_console.Lines, Has.Some.Match("^ok +disk").And.Some.Match("^WRONG +settings +.*deploy.yaml:1:1: .*appp"));
    }

    [Test]
    public void Should_TellOfTheRest_When_OneServerDoesNotAnswer()
    {
        var examining = ExamineAsync(Settings, new Found(Observation.Good("tool", "1.0")), new Silent());
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.That(async () => await examining, Throws.TypeOf<K3sException>());
        Assert.That(_console.Lines, Has.Some.Match("^ok +tool").And.Some.Match("^WRONG +silent +no answer within 30 s"));
    }

    [Test]
    public async Task Should_HideSecrets_When_AFindingNamesOne()
    {
        _mask.Add(new Secret("correct-horse"));

        await ExamineAsync(Settings, new Found(Observation.Good("server", "https://ann:correct-horse@example.com")));

        Assert.That(_console.Lines, Has.None.Contain("correct-horse"));
    }

    [TestCase(0.5, nameof(Health.Wrong))]
    [TestCase(3, nameof(Health.Warning))]
    [TestCase(50, nameof(Health.Good))]
    public void Should_JudgeFreeRoom(double gigabytes, string health) =>
        Assert.That(MachineCheckup.Disk((long)(gigabytes * 1e9), "/app").Health.ToString(), Is.EqualTo(health));

    [TestCase(3, nameof(Health.Good))]
    [TestCase(-20, nameof(Health.Warning))]
    [TestCase(3600, nameof(Health.Wrong))]
    public void Should_JudgeClocks(double seconds, string health)
    {
        var here = DateTimeOffset.UnixEpoch.AddYears(50);

        Assert.That(ServerExamination.Clock("clock", here.AddSeconds(seconds), here).Health.ToString(), Is.EqualTo(health));
    }

    [TestCase("v1.34.1+k3s1", nameof(Health.Good))]
    [TestCase("v1.27.9+k3s1", nameof(Health.Warning))]
    [TestCase("nightly", nameof(Health.Good))]
    public void Should_JudgeVersions(string version, string health) =>
        Assert.That(ServerExamination.Version(version, new Uri("https://192.0.2.1:6443")).Health.ToString(), Is.EqualTo(health));

    [TestCase(true, nameof(Health.Good))]
    [TestCase(false, nameof(Health.Wrong))]
    public void Should_NotMind_When_AToolCanBeFetched(bool canBeFetched, string health)
    {
        var search = new ToolSearch(ToolCatalog.All[ToolName.Cosign], null, null, canBeFetched, ["PATH: no cosign"]);

        Assert.That(ToolsCheckup.Of(search, "task Sign").Health.ToString(), Is.EqualTo(health));
    }

    private Task ExamineAsync(string settings, params ICheckup[] checkups)
    {
        var options = new RunOptions { Root = _directory.Path, SettingsFile = _directory.Write("deploy.yaml", settings) };
        return new Doctor(new PipelineRun(options, new SettingsReader(), []), new MachineCheckup(options), checkups, _mask, _console, _time).ExamineAsync();
    }

    private sealed class Found(params Observation[] found) : ICheckup
    {
        public Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Observation>>(found.ToImmutableArray());
    }

    private sealed class Failing(Exception failure) : ICheckup
    {
        public Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken) =>
            throw failure;
    }

    private sealed class Silent : ICheckup
    {
        public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return [];
        }
    }
}

using Cake.K3s.Checks;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Checks;

[Platform(Exclude = "Win")]
public sealed class CheckRunnerTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 9, 12, 0, TimeSpan.Zero));
    private TemporaryDirectory _directory;
    private RecordingReporter _reporter;

    // Outside of the sources: what the check itself writes must not count as a change.
    private string Log => _directory.File("artifacts", "ran");

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _reporter = new RecordingReporter();
        _directory.Write("src/code", "1");
        Directory.CreateDirectory(_directory.File("artifacts"));
        Given($"{{run: 'echo line; echo ran >> {Log}', sources: [src/**]}}");
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_show_the_output_of_a_command_that_runs()
    {
        await TestAsync();

        Assert.That(_reporter.Lines, Has.One.EqualTo("line"));
    }

    [Test]
    public async Task Should_skip_a_command_and_say_why_When_nothing_changed_since_it_passed()
    {
        await TestAsync();
        await TestAsync();

        Assert.That(Runs, Is.EqualTo(1));
        Assert.That(_reporter.Lines[^1], Does.StartWith("skipped: echo line").And.Contains("unchanged since it passed at").And.Contains("--rerun runs it"));
    }

    [Test]
    public async Task Should_run_again_When_a_source_changed()
    {
        await TestAsync();
        _directory.Write("src/code", "2");
        await TestAsync();

        Assert.That(Runs, Is.EqualTo(2));
    }

    [Test]
    public async Task Should_not_run_again_When_something_else_changed()
    {
        await TestAsync();
        _directory.Write("docs/page", "new");
        await TestAsync();

        Assert.That(Runs, Is.EqualTo(1));
    }

    [Test]
    public async Task Should_run_again_When_the_command_itself_changed()
    {
        await TestAsync();
        Given($"{{run: 'echo ran >> {Log}', sources: [src/**]}}");
        await TestAsync();

        Assert.That(Runs, Is.EqualTo(2));
    }

    [Test]
    public async Task Should_run_again_When_asked_to()
    {
        await TestAsync();
        await TestAsync(rerun: true);

        Assert.That(Runs, Is.EqualTo(2));
    }

    [Test]
    public async Task Should_run_always_When_on_a_CI_server()
    {
        await TestAsync(ci: "true");
        await TestAsync(ci: "true");

        Assert.That(Runs, Is.EqualTo(2));
    }

    [Test]
    public void Should_run_again_and_start_no_other_When_a_command_fails()
    {
        Given($"'echo ran >> {Log}; exit 1', 'echo > {_directory.File("artifacts", "next")}'");

        Assert.That(() => TestAsync(), Throws.TypeOf<CommandFailedException>().With.Message.StartsWith("test command 'echo ran"));
        Assert.That(() => TestAsync(), Throws.TypeOf<CommandFailedException>());

        Assert.That(Runs, Is.EqualTo(2));
        Assert.That(_directory.File("artifacts", "next"), Does.Not.Exist);
    }

    private int Runs => File.ReadAllLines(Log).Length;

    private void Given(string commands) =>
        _directory.Write("deploy.yaml", $"app: a\nimages: {{}}\nenvironments: {{}}\nchecks:\n  test: [{commands}]\n");

    private Task TestAsync(bool rerun = false, string? ci = null)
    {
        var options = new RunOptions { Root = _directory.Path, SettingsFile = _directory.File("deploy.yaml"), Rerun = rerun };
        var run = new PipelineRun(options, new SettingsReader(), []);
        var variables = new EnvironmentVariables(name => name == "CI" ? ci : null);
        return new CheckRunner(run, new CommandRunner(new SecretMask(), TimeProvider.System), _reporter, variables, _time).TestAsync();
    }
}

using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>Programs that outlive whoever starts them.</summary>
[TestFixture]
[Platform("Linux")]
internal sealed class DetachedProgramTests
{
    private readonly CommandRunner _runner = new(new SecretMask(), TimeProvider.System);
    private string _directory;
    private DetachedProgram _program;

    [SetUp]
    public void MakeDirectory()
    {
        _directory = Directory.CreateTempSubdirectory("cake-k3s-program-").FullName;
        _program = new DetachedProgram("part", ["sh"], _directory, Path.Combine(_directory, "part.log"));
    }

    [TearDown]
    public async Task EndAsync()
    {
        await _program.StopAsync(Signal.Kill, TimeSpan.FromSeconds(5), CancellationToken.None);
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public void Should_ShowItsLastWords_When_ItEndsWhileItStarts()
    {
        File.WriteAllText(Path.Combine(_directory, "part.log"), "of an earlier start\n");

        Assert.That(
            () => StartAsync("echo 'no such device' >&2; exit 3", "it does not listen"),
            Throws.InstanceOf<K3sException>()
                .With.Message.Contains("the sandbox's part ended while it started")
                .And.Message.Contains("no such device")
                .And.Message.Contains("part.log")
                .And.Message.Not.Contains("of an earlier start"));
    }

    [Test]
    public void Should_SayWhyItDoesNotAnswer_When_ItTakesTooLong()
    {
        Assert.That(
            () => StartAsync("sleep 600; :", "Connection refused", within: TimeSpan.FromMilliseconds(100)),
            Throws.InstanceOf<K3sException>().With.Message.Contains("did not answer within 0.1 s: Connection refused"));
    }

    [Test]
    public async Task Should_BeFoundByAnother_When_ItRuns()
    {
        await StartAsync("sleep 600; :", problem: null);

        var another = new DetachedProgram("part", ["sh"], _directory, "");

        Assert.That(another.Find(), Is.Not.Null.And.EqualTo(_program.Find()));
    }

    [Test]
    public async Task Should_EndIt_When_ItDoesNotListenToSigterm()
    {
        await StartAsync("trap '' TERM; while :; do sleep 1; done", problem: null);

        await _program.StopAsync(Signal.Terminate, TimeSpan.FromMilliseconds(200), CancellationToken.None);

        Assert.That(_program.Find(), Is.Null);
    }

    private Task StartAsync(string script, string? problem, TimeSpan? within = null) => _program.StartAsync(
        _runner,
        new Command("sh", "-c", "touch \"$0/begun\"; " + script, _directory),

        // Until the script itself runs, the process is a launcher of another name.
        _ => Task.FromResult(problem ?? (File.Exists(Path.Combine(_directory, "begun")) ? null : "it has not begun")),
        within ?? TimeSpan.FromMinutes(1),
        CancellationToken.None);
}

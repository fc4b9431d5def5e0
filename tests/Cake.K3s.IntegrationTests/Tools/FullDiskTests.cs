using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.IntegrationTests.Tools;

/// <summary>Fetching tools where there is no room, or nothing may be written: a file system of its own for each test.</summary>
[Platform("Linux")]
public sealed class FullDiskTests
{
    private readonly CommandRunner _runner = new(new SecretMask(), TimeProvider.System);
    private readonly Quiet _quiet = new();

    // Nothing of the host's but what fetching itself needs.
    private readonly EnvironmentVariables _variables = new(name => name == "PATH" ? "/usr/bin:/bin" : null);

    private DirectoryInfo _root;

    private string ToolsDirectory => Path.Combine(_root.FullName, ".tools");

    private RunOptions Options => new() { Root = _root.FullName, SettingsFile = Path.Combine(_root.FullName, "deploy.yaml") };

    [SetUp]
    public async Task MountAsync()
    {
        _root = Directory.CreateTempSubdirectory("cake-k3s-full-");
        Directory.CreateDirectory(ToolsDirectory);
        try
        {
            await RunAsync("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", ToolsDirectory);
        }
        catch (CommandFailedException refused) when (!EnvironmentVariables.OfProcess.IsCI)
        {
            _root.Delete(recursive: true);
            Assert.Ignore("no file system can be mounted here: " + refused.Message);
        }
    }

    [TearDown]
    public async Task UnmountAsync()
    {
        if (_root.Exists)
        {
            await RunAsync("umount", ToolsDirectory);
            _root.Delete(recursive: true);
        }
    }

    [Test]
    public async Task Should_say_so_and_go_on_When_the_disk_is_full_for_the_lists()
    {
        await ResizeAsync("3m");
        AssertNoSpace();

        await ResizeAsync("1g");
        await AssertFetchedAsync();
    }

    [Test]
    public async Task Should_say_so_and_go_on_When_the_disk_is_full_for_the_program()
    {
        await Packages().ResolveAsync(DebianRelease.Current, ["cosign"], withDependencies: false, CancellationToken.None);
        await ResizeAsync("100m");
        AssertNoSpace();

        await ResizeAsync("1g");
        await AssertFetchedAsync();
    }

    [Test]
    public async Task Should_say_so_When_nothing_may_be_written()
    {
        await RunAsync("mount", "-o", "remount,ro", ToolsDirectory);

        var failure = Assert.ThrowsAsync<K3sException>(RequireAsync)!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Message, Does.Contain("task Sign needs cosign").And.Contain("Read-only"));
    }

    private void AssertNoSpace()
    {
        var failure = Assert.ThrowsAsync<K3sException>(RequireAsync)!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Message, Does.Contain("task Sign needs cosign").And.Contain("not enough space"));
    }

    private async Task AssertFetchedAsync()
    {
        var tool = await RequireAsync();

        await RunAsync(tool.Path, "version");
        Assert.That(Directory.EnumerateDirectories(Path.Combine(ToolsDirectory, "cosign")).Count(), Is.EqualTo(1));
    }

    private Task ResizeAsync(string size) => RunAsync("mount", "-o", "remount,size=" + size, ToolsDirectory);

    private DebianPackages Packages() => new(_runner, Options, _variables, _quiet, TimeProvider.System);

    private async Task<Tool> RequireAsync()
    {
        using var http = new HttpClient();
        var store = new ContentStore(ToolsDirectory);
        var toolbox = new Toolbox(
            ToolCatalog.All,
            _runner,
            new DebianTools(Packages(), store, _variables, _quiet, TimeProvider.System),
            new ReleaseTools(http, store, _quiet),
            Options,
            _variables);
        return await toolbox.RequireAsync(ToolName.Cosign, "task Sign", CancellationToken.None);
    }

    private Task<CommandResult> RunAsync(string program, params string[] arguments) =>
        _runner.RunAsync(new Command(program, arguments) { Timeout = TimeSpan.FromMinutes(1) }, CancellationToken.None);

    private sealed class Quiet : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}

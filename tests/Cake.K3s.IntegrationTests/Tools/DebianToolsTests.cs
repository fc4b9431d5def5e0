using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.IntegrationTests.Tools;

/// <summary>The tools as a machine without any of them gets them: real apt, real packages, and each program really runs.</summary>
[Platform("Linux")]
public sealed class DebianToolsTests
{
    private readonly CommandRunner _runner = new(new SecretMask(), TimeProvider.System);
    private DirectoryInfo _root;
    private DebianPackages _packages;
    private DebianTools _tools;

    [OneTimeSetUp]
    public async Task FindPackagesAsync()
    {
        _root = Directory.CreateTempSubdirectory("cake-k3s-tools-");
        var options = new RunOptions { Root = _root.FullName, SettingsFile = Path.Combine(_root.FullName, "deploy.yaml") };
        var reporter = new ToTestOutput();
        _packages = new DebianPackages(_runner, options, EnvironmentVariables.OfProcess, reporter, TimeProvider.System);
        _tools = new DebianTools(_packages, new ContentStore(options.ToolsDirectory), EnvironmentVariables.OfProcess, reporter, TimeProvider.System);
        try
        {
            await _packages.ResolveAsync(DebianRelease.Current, ["cosign"], withDependencies: false, CancellationToken.None);
        }
        catch (K3sException missing) when (!EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Ignore("no Debian mirror can be reached here: " + missing.Message);
        }
    }

    [OneTimeTearDown]
    public void Remove() => _root.Delete(recursive: true);

    [TestCase(ToolName.Buildx)]
    [TestCase(ToolName.Cosign)]
    [TestCase(ToolName.Kubectl)]
    [TestCase(ToolName.Registry)]
    [TestCase(ToolName.Dockerd)]
    [TestCase(ToolName.Postgres)]
    public async Task Should_run_When_unpacked_from_Debian_packages(ToolName name)
    {
        var definition = ToolCatalog.All[name];

        var tool = await _tools.FetchAsync(definition, CancellationToken.None);

        var result = await RunAsync(tool, tool.Path, definition.Probe.Arguments);
        Assert.That(definition.Probe.Objection(result.StandardOutput), Is.Null);
        Assert.That(_tools.Find(definition)!.Path, Is.EqualTo(tool.Path));
    }

    [TestCase("runc", "--version", "runc version")]
    [TestCase("containerd", "--version", "containerd")]
    [TestCase("containerd-shim-runc-v2", "-v", "containerd-shim-runc-v2")]
    [TestCase("iptables", "--version", "nf_tables")]
    [TestCase("ip6tables", "--version", "nf_tables")]
    [TestCase("docker-init", "--version", "tini")]
    public async Task Should_bring_what_the_engine_starts_itself(string program, string argument, string expected)
    {
        var tool = await _tools.FetchAsync(ToolCatalog.All[ToolName.Dockerd], CancellationToken.None);

        var path = ProgramPath.Find(program, tool.Environment["PATH"])!;
        var result = await RunAsync(tool, path, [argument]);

        Assert.That(path, Does.StartWith(_root.FullName));
        Assert.That(result.StandardOutput + result.StandardError, Does.Contain(expected));
    }

    [Test]
    public async Task Should_make_a_database_with_the_unpacked_server()
    {
        var tool = await _tools.FetchAsync(ToolCatalog.All[ToolName.Postgres], CancellationToken.None);
        var initdb = Path.Combine(Path.GetDirectoryName(tool.Path)!, "initdb");
        var data = Path.Combine(_root.FullName, "data");

        // PostgreSQL refuses to run as root; in a user namespace this user has another number.
        await RunAsync(tool, "unshare", ["--user", "--map-user=1000", "--map-group=1000", initdb, "--no-sync", "--auth=trust", data]);
        var result = await RunAsync(
            tool,
            "unshare",
            ["--user", "--map-user=1000", "--map-group=1000", tool.Path, "--single", "-D", data, "postgres"],
            "SELECT 6 * 7 AS answer;\n");

        Assert.That(result.StandardOutput, Does.Contain("answer = \"42\""));
    }

    [Test]
    public async Task Should_unpack_a_root_file_system_with_all_that_a_package_depends_on()
    {
        var closure = await _packages.ResolveAsync(DebianRelease.Current, ["hostname"], withDependencies: true, CancellationToken.None);
        var root = Directory.CreateDirectory(Path.Combine(_root.FullName, "rootfs")).FullName;

        await _packages.UnpackAsync(DebianRelease.Current, closure, root, CancellationToken.None);

        Assert.That(closure.Select(package => package.Name), Is.SupersetOf(new[] { "hostname", "libc6" }));
        Assert.That(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(Path.GetFileName), Is.SupersetOf(new[] { "hostname", "libc.so.6" }));
    }

    [Test]
    public void Should_name_the_package_When_there_is_none_of_that_name()
    {
        var failure = Assert.ThrowsAsync<K3sException>(
            () => _packages.ResolveAsync(DebianRelease.Current, ["no-such-package"], withDependencies: false, CancellationToken.None));

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Message, Does.Contain("no-such-package"));
    }

    private Task<CommandResult> RunAsync(Tool tool, string program, ImmutableArray<string> arguments, string? input = null) =>
        _runner.RunAsync(
            new Command(program, arguments)
            {
                Environment = tool.Environment,
                StandardInput = input is null ? null : new Secret(input),
                Timeout = TimeSpan.FromMinutes(1),
            },
            CancellationToken.None);

    private sealed class ToTestOutput : IReporter
    {
        public void Report(RunEvent runEvent) => TestContext.Out.WriteLine(runEvent);
    }
}

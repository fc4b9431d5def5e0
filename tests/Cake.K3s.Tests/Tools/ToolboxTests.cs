using System.Collections.Immutable;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tests.Tools;

[Platform(Exclude = "Win")]
public sealed class ToolboxTests
{
    private const string Program = "#!/bin/sh\necho tool 2.5";

    private static readonly ToolDefinition Definition = new()
    {
        Name = ToolName.Cosign,
        Title = "tool",
        Programs = ["the-tool"],
        Probe = new([], @"tool (\d+\.\d+)", new Version(2, 0)),
        Advice = "Install the tool.",
    };

    private static readonly ToolDefinition FromDebian = Definition with
    {
        Debian = [new DebianPart(DebianRelease.Current, ["the-package"])],
        DebianProgram = "usr/bin/the-tool",
    };

    private FakePackages _packages;
    private TemporaryDirectory _directory;

    [SetUp]
    public void SetUp()
    {
        _packages = new FakePackages();
        _directory = new TemporaryDirectory();
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_take_the_program_on_PATH()
    {
        var program = _directory.WriteScript("path/the-tool", "echo tool 2.0");

        var tool = await RequireAsync(Definition);

        Assert.That((tool.Path, tool.Source), Is.EqualTo((program, "PATH")));
    }

    [Test]
    public async Task Should_take_the_program_that_the_operator_put_there_before_any_other()
    {
        _directory.WriteScript("path/the-tool", "echo tool 2.0");
        var own = _directory.WriteScript("root/.tools/bin/the-tool", "echo tool 2.0");

        Assert.That((await RequireAsync(Definition)).Path, Is.EqualTo(own));
    }

    [Test]
    public async Task Should_pass_over_a_program_that_is_too_old()
    {
        _directory.WriteScript("path/the-tool", "echo tool 1.9");
        var place = _directory.WriteScript("place/15/the-tool", "echo tool 2.1");

        var tool = await RequireAsync(Definition with { Places = [_directory.File("place", "*")] });

        Assert.That(tool.Path, Is.EqualTo(place));
    }

    [Test]
    public async Task Should_pass_over_a_program_without_its_companions()
    {
        _directory.WriteScript("path/the-tool", "echo tool 2.0");
        var complete = _directory.WriteScript("place/the-tool", "echo tool 2.0");
        _directory.WriteScript("place/its-companion", "");

        var tool = await RequireAsync(Definition with { Places = [_directory.File("place")], Companions = ["its-companion"] });

        Assert.That(tool.Path, Is.EqualTo(complete));
    }

    [Test]
    public async Task Should_unpack_Debian_packages_once_for_all_runs()
    {
        var first = await RequireAsync(FromDebian);
        var second = await RequireAsync(FromDebian);

        Assert.That(first.Path, Is.EqualTo(_directory.File("root", ".tools", "tool", $"2.5-1-{FromDebian.Recipe}", "usr/bin/the-tool")));
        Assert.That(second.Path, Is.EqualTo(first.Path));
        Assert.That((first.Source, second.Source), Is.EqualTo(("Debian package 2.5-1", ".tools")));
        Assert.That(_packages.Unpacked, Is.EqualTo(1));
    }

    [Test]
    public async Task Should_make_links_and_leave_out_what_the_definition_says()
    {
        var tool = await RequireAsync(FromDebian with
        {
            DebianLinks = ImmutableDictionary<string, string>.Empty.Add("usr/bin/alias", "the-tool"),
            DebianLeftOut = ["usr/share/*/big"],
        });

        var folder = Path.GetDirectoryName(tool.Path)!;
        Assert.That(new FileInfo(Path.Combine(folder, "alias")).LinkTarget, Is.EqualTo("the-tool"));
        Assert.That(Path.Combine(folder, "../share/doc"), Does.Exist);
        Assert.That(Path.Combine(folder, "../share/doc/big"), Does.Not.Exist);
    }

    [Test]
    public async Task Should_put_a_bundles_programs_and_libraries_ahead_of_the_hosts()
    {
        var tool = await RequireAsync(FromDebian with { DebianIsBundle = true });

        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(tool.Path)!, "../.."));
        Assert.That(tool.Environment["PATH"], Is.EqualTo($"{root}/usr/sbin:{root}/usr/bin:{_directory.File("path")}"));
        Assert.That(tool.Environment["LD_LIBRARY_PATH"], Is.EqualTo($"{root}/usr/lib/x86_64-linux-gnu"));
    }

    [Test]
    public void Should_name_the_tool_who_needs_it_what_was_tried_and_the_ways_to_get_it_When_it_cannot_be_had()
    {
        var old = _directory.WriteScript("path/the-tool", "echo tool 1.9");
        _packages.Failure = new K3sException(ExitCodes.RequirementMissing, "no mirror answers");

        var failure = Assert.ThrowsAsync<K3sException>(() => RequireAsync(FromDebian));

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Summary, Is.EqualTo("task Sign needs tool, which is neither on PATH nor can be fetched"));
        Assert.That(failure.Details, Is.EqualTo(new[]
        {
            $"{old}: is version 1.9, and 2.0 or newer is needed",
            "Debian packages: no mirror answers",
        }));
        Assert.That(failure.NextStep, Is.EqualTo($"Install the tool. Or put the program at {_directory.File("root", ".tools", "bin", "the-tool")}."));
    }

    [Test]
    public void Should_pass_over_a_program_that_does_not_run()
    {
        _directory.WriteScript("path/the-tool", "echo no such libc >&2; exit 1");

        var failure = Assert.ThrowsAsync<K3sException>(() => RequireAsync(Definition));

        Assert.That(failure.Details, Has.One.EndsWith("the-tool ended with exit code 1"));
    }

    [Test]
    public async Task Should_download_a_pinned_release_When_its_checksum_is_right()
    {
        var tool = await RequireAsync(Definition with { Releases = [Release(Program)] });

        Assert.That(tool.Source, Is.EqualTo("release 2.5"));
        Assert.That(await File.ReadAllTextAsync(tool.Path), Is.EqualTo(Program));
        Assert.That(new FileInfo(tool.Path).UnixFileMode.HasFlag(UnixFileMode.UserExecute));
    }

    [Test]
    public void Should_refuse_a_download_whose_checksum_is_wrong()
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => RequireAsync(Definition with { Releases = [Release("something else")] }));

        Assert.That(failure.Details, Has.One.Contains("is not what was published"));
        Assert.That(Directory.EnumerateDirectories(_directory.File("root", ".tools", "tool")), Is.Empty);
    }

    private static PinnedRelease Release(string content) => new(
        RuntimeInformation.RuntimeIdentifier,
        "2.5",
        new Uri("https://releases.invalid/the-tool"),
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content))));

    private async Task<Tool> RequireAsync(ToolDefinition definition)
    {
        var options = new RunOptions { Root = _directory.File("root"), SettingsFile = _directory.File("root", "deploy.yaml") };
        var variables = new EnvironmentVariables(name => name == "PATH" ? _directory.File("path") : null);
        var runner = new CommandRunner(new SecretMask(), TimeProvider.System);
        var reporter = new RecordingReporter();
        var store = new ContentStore(options.ToolsDirectory);
        using var http = new HttpClient(new OneProgram());
        var toolbox = new Toolbox(
            ImmutableDictionary<ToolName, ToolDefinition>.Empty.Add(definition.Name, definition),
            runner,
            new DebianTools(_packages, store, variables, reporter, TimeProvider.System),
            new ReleaseTools(http, store, reporter),
            options,
            variables);
        return await toolbox.RequireAsync(definition.Name, "task Sign", CancellationToken.None);
    }

    private sealed class FakePackages : IDebianPackages
    {
        public K3sException? Failure { get; set; }

        public int Unpacked { get; private set; }

        public Task<ImmutableArray<DebianPackage>> ResolveAsync(
            DebianRelease release,
            IReadOnlyCollection<string> packages,
            bool withDependencies,
            CancellationToken cancellationToken) =>
            Failure is null
                ? Task.FromResult(packages.Select(package => new DebianPackage(package, "2.5-1", 1)).ToImmutableArray())
                : throw Failure;

        public Task UnpackAsync(
            DebianRelease release,
            IReadOnlyCollection<DebianPackage> packages,
            string directory,
            CancellationToken cancellationToken)
        {
            Unpacked++;
            Directory.CreateDirectory(Path.Combine(directory, "usr/lib/x86_64-linux-gnu"));
            Directory.CreateDirectory(Path.Combine(directory, "usr/share/doc/big"));
            Directory.CreateDirectory(Path.Combine(directory, "usr/bin"));
            return File.WriteAllTextAsync(Path.Combine(directory, "usr/bin/the-tool"), Program, cancellationToken);
        }
    }

    private sealed class OneProgram : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Program) });
    }
}

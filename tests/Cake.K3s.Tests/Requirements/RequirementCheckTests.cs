using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cake.Frosting;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Requirements;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Requirements;

public sealed class RequirementCheckTests
{
    private readonly FakeToolbox _toolbox = new();
    private TemporaryDirectory _directory;
    private int _opened;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _toolbox.Missing.Clear();
        _opened = 0;
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_open_nothing_When_no_task_requires_anything()
    {
        await CheckAsync(typeof(Modest));

        Assert.That(_opened, Is.Zero);
    }

    [Test]
    public void Should_name_every_task_that_needs_a_tool()
    {
        var required = RequirementSet.Of([typeof(Signer), typeof(OtherSigner), typeof(Modest)]);

        Assert.That(required.Tools, Is.EqualTo(new Dictionary<ToolName, string> { [ToolName.Cosign] = "tasks OtherSigner, Sign" }));
    }

    [Test]
    public void Should_fail_as_the_toolbox_does_When_one_thing_is_missing()
    {
        _toolbox.Missing.Add(ToolName.Cosign);

        var failure = Assert.ThrowsAsync<K3sException>(() => CheckAsync(typeof(Signer)))!;

        Assert.That((failure.ExitCode, failure.Summary), Is.EqualTo((ExitCodes.RequirementMissing, "task Sign needs Cosign")));
    }

    [Test]
    public void Should_tell_all_that_is_missing_at_once()
    {
        _toolbox.Missing.Add(ToolName.Cosign);
        _toolbox.Missing.Add(ToolName.Buildx);

        var failure = Assert.ThrowsAsync<K3sException>(() => CheckAsync(typeof(Signer), typeof(Builder), typeof(Pusher)))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing), failure.Message);
        Assert.That(failure.Summary, Is.EqualTo("3 things that this run needs are missing; nothing was started"));
        Assert.That(failure.Message, Does.Contain("task Sign needs Cosign").And.Contain("Builder needs Buildx").And.Contain("registry 127.0.0.1"));
    }

    [Test]
    public void Should_fail_with_the_settings_error_alone_When_there_is_one()
    {
        _toolbox.Missing.Add(ToolName.Cosign);

        Assert.That(
            () => CheckAsync(new SettingsException("deploy.yaml", 1, 1, "wrong"), typeof(Signer), typeof(Pusher)),
            Throws.TypeOf<SettingsException>().With.Property("Summary").EqualTo("deploy.yaml:1:1: wrong"));
    }

    [Test]
    public void Should_pass_on_a_bug_as_it_is()
    {
        Assert.That(() => CheckAsync(new InvalidOperationException("a bug"), typeof(Pusher)), Throws.InvalidOperationException);
    }

    private Task CheckAsync(params Type[] tasks) => CheckAsync(null, tasks);

    private async Task CheckAsync(Exception? notOpened, params Type[] tasks)
    {
        _directory.Write("deploy.yaml", "app: app\nimages: {api: {context: .}}\nenvironments: {sandbox: {sandbox: {}}}\n");
        var options = new RunOptions { Root = _directory.Path, SettingsFile = _directory.File("deploy.yaml") };
        var run = new PipelineRun(options, new SettingsReader(), [new Opener(this, notOpened)]);
        var mask = new SecretMask();
        var reporter = new RecordingReporter();
        var registries = new RegistryClients(new DockerCredentials(new CommandRunner(mask, TimeProvider.System), mask), mask, reporter, TimeProvider.System)
        {
            Retries = new RetryTimes(2, TimeSpan.Zero, TimeSpan.Zero),
        };
        using var clusters = new ClusterConnector(reporter, TimeProvider.System);
        await new RequirementCheck(run, _toolbox, registries, clusters).CheckAsync(tasks);
    }

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [TaskName("Sign")]
    [RequiresTool(ToolName.Cosign)]
    private sealed class Signer : FrostingTask;

    [RequiresTool(ToolName.Cosign)]
    [TaskName("OtherSigner")]
    private sealed class OtherSigner : FrostingTask;

    [RequiresTool(ToolName.Buildx)]
    private sealed class Builder : FrostingTask;

    [Requires(Requirement.Registry)]
    private sealed class Pusher : FrostingTask;

    private sealed class Modest : FrostingTask;

    private sealed class FakeToolbox : IToolbox
    {
        public HashSet<ToolName> Missing { get; } = [];

        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) => Missing.Contains(tool)
            ? throw new K3sException(ExitCodes.RequirementMissing, $"{neededBy} needs {tool}")
            : Task.FromResult(new Tool(tool, "/bin/true", ImmutableDictionary<string, string?>.Empty, "PATH"));
    }

    private sealed class Opener(RequirementCheckTests test, Exception? notOpened) : IEnvironmentOpener
    {
        public bool CanOpen(EnvironmentSettings environment) => true;

        public Task<DeployEnvironment> OpenAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
        {
            test._opened++;
            return notOpened is null
                ? Task.FromResult(new DeployEnvironment
                {
                    Name = "sandbox",
                    Settings = environment,
                    Cluster = new ClusterConnection("kubeconfig", null, "app"),
                    Registry = new RegistryConnection($"127.0.0.1:{ClosedPort()}", "app", true, test._directory.Path),
                    Builder = new BuilderConnection(null, null),
                    SigningKey = new SigningKey("cosign.key", "cosign.pub", null),
                })
                : Task.FromException<DeployEnvironment>(notOpened);
        }
    }
}

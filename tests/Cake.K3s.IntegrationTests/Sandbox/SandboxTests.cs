using System.Runtime.Versioning;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Settings;
using Docker.DotNet;
using Docker.DotNet.Models;
using k8s;
using Npgsql;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>A sandbox of real parts that is up.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class SandboxTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private TestSandbox _sandbox;
    private SandboxAddresses _addresses;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        TestSandbox.Require();
        _sandbox = new TestSandbox();
        _addresses = await _sandbox.OpenAsync();
    }

    // A test may have left a part killed.
    [SetUp]
    public Task OpenAsync() => _sandbox.OpenAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_sandbox is not null)
        {
            await _sandbox.DisposeAsync();
        }
    }

    [Test]
    public async Task Should_HaveEveryPartHealthy_When_ItIsUp()
    {
        var status = await _sandbox.StatusAsync();

        Assert.That(status.Parts.Select(part => part.Name), Is.EquivalentTo(new[] { "engine", "registry", "postgres", "kubernetes" }));
        Assert.That(status.Parts.Select(part => part.Problem), Is.All.Null);
    }

    [Test]
    public async Task Should_LetInWhoHasTheKubeconfig_When_TheApiIsAsked()
    {
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(_addresses.Kubeconfig));

        var version = await client.Version.GetCodeAsync();

        Assert.That(version.Major, Is.EqualTo("1"));
    }

    [Test]
    public void Should_KeepSecretsToTheOwner_When_TheyAreFiles()
    {
        var directory = _sandbox.Directories;
        string[] files = [directory.Kubeconfig, .. Directory.GetFiles(directory.Credentials), .. Directory.GetFiles(directory.DatabasePasswords)];

        Assert.That(files, Has.Length.GreaterThanOrEqualTo(5));
        Assert.That(files.Select(File.GetUnixFileMode), Is.All.EqualTo(OwnerOnly));
    }

    [Test]
    public async Task Should_GiveTheAppItsDatabase_When_ItComesByTheAddressForPods()
    {
        var url = new Uri(_addresses.PostgresUrl);
        var user = url.UserInfo.Split(':');
        await using var source = NpgsqlDataSource.Create(
            $"Host={url.Host};Port={url.Port};Username={user[0]};Password={user[1]};Database={url.AbsolutePath[1..]};Pooling=false");

        await using var command = source.CreateCommand("CREATE TABLE t (i int); DROP TABLE t; SELECT rolsuper FROM pg_roles WHERE rolname = current_user");

        Assert.That(await command.ExecuteScalarAsync(), Is.False, "the app is not to be a superuser");
        Assert.That(url.Host, Is.Not.EqualTo("127.0.0.1"));
    }

    [TestCase("engine")]
    [TestCase("containerd")]
    [TestCase("registry")]
    [TestCase("postgres")]
    [TestCase("daemon")]
    public async Task Should_BeUpAgain_When_APartIsKilled(string part)
    {
        var before = _sandbox.ProcessOf(part)!.Value;
        ProcessTable.Send(before, Signal.Kill);
        await TestSandbox.UntilAsync(() => !ProcessTable.IsRunning(before), TimeSpan.FromMinutes(1));

        var addresses = await _sandbox.OpenAsync();
        await TestSandbox.UntilAsync(() => _sandbox.ProcessOf(part) is not null, TimeSpan.FromMinutes(1));

        Assert.That(addresses, Is.EqualTo(_addresses), "addresses are kept");
        Assert.That(_sandbox.ProcessOf(part), Is.Not.Null.And.Not.EqualTo(before));
        Assert.That((await _sandbox.StatusAsync()).Parts.Select(status => status.Problem), Is.All.Null);
    }

    [Test]
    public async Task Should_TakeOverWhatRuns_When_TheDaemonIsKilled()
    {
        var parts = ((string[])["engine", "registry", "postgres"]).ToDictionary(part => part, part => _sandbox.ProcessOf(part));
        ProcessTable.Send(_sandbox.ProcessOf("daemon")!.Value, Signal.Kill);

        await _sandbox.OpenAsync();

        Assert.That(parts.Keys.ToDictionary(part => part, part => _sandbox.ProcessOf(part)), Is.EqualTo(parts));
    }

    [Test]
    public async Task Should_StartAPartAgain_When_ItIsKilledAndNobodyAsks()
    {
        var before = _sandbox.ProcessOf("registry")!.Value;

        ProcessTable.Send(before, Signal.Kill);
        await TestSandbox.UntilAsync(() => _sandbox.ProcessOf("registry") is { } now && now != before, TimeSpan.FromMinutes(1));

        Assert.That(_sandbox.ProcessOf("registry"), Is.Not.Null.And.Not.EqualTo(before));
    }

    [Test]
    public async Task Should_MakeTheKeyPairOnce_When_ItIsAskedForTwice()
    {
        var keys = _sandbox.Get<SandboxSigningKey>();

        var first = await keys.OpenAsync(_sandbox.Directories, CancellationToken.None);
        var before = await File.ReadAllTextAsync(first.PrivateKey);
        var second = await keys.OpenAsync(_sandbox.Directories, CancellationToken.None);

        Assert.That(before, Does.Contain("ENCRYPTED SIGSTORE PRIVATE KEY"));
        Assert.That(await File.ReadAllTextAsync(second.PrivateKey), Is.EqualTo(before));
        Assert.That(File.GetUnixFileMode(second.PrivateKey), Is.EqualTo(OwnerOnly));
        Assert.That(second.Password!.Reveal(), Is.EqualTo(first.Password!.Reveal()));
    }

    [TestCase("aspnet", "1654", "Microsoft.AspNetCore.App", "dotnet", "--list-runtimes")]
    [TestCase("redis", "999", "Redis server v=", "redis-server", "--version")]
    [TestCase("redis", "999", "redis-cli", "redis-cli", "--version")]
    public async Task Should_RunAsItsUser_When_ABaseImageIsMade(string image, string user, string output, params string[] command)
    {
        var reference = await _sandbox.BaseImageAsync(image);
        using var docker = new DockerClientBuilder().WithEndpoint(new Uri(_addresses.DockerHost)).Build();
        await docker.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = reference }, null, new Progress<JSONMessage>());
        var container = await docker.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Image = reference,
            User = user,
            Entrypoint = command,
        });

        await docker.Containers.StartContainerAsync(container.ID, new ContainerStartParameters());
        var ended = await docker.Containers.WaitContainerAsync(container.ID);

        using var logs = await docker.Containers.GetContainerLogsAsync(container.ID, new ContainerLogsParameters { ShowStdout = true, ShowStderr = true });
        var (text, errors) = await logs.ReadOutputToEndAsync(CancellationToken.None);
        Assert.That(text, Does.Contain(output), errors);
        Assert.That(ended.StatusCode, Is.Zero);
    }

    [Test]
    public async Task Should_HaveTheSameDigest_When_ABaseImageIsMadeAgain()
    {
        var first = await _sandbox.BaseImageAsync("redis");
        Directory.Delete(_sandbox.Directories.BaseImages, recursive: true);

        Assert.That(await _sandbox.BaseImageAsync("redis"), Is.EqualTo(first));
    }

    [Test]
    public void Should_NameTheKnownOnes_When_ABaseImageIsUnknown()
    {
        Assert.That(
            async () => await _sandbox.BaseImageAsync("nginx"),
            Throws.InstanceOf<SettingsException>().With.Message.Contains("sandbox://aspnet"));
    }
}

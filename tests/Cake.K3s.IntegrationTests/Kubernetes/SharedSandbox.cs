using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>One sandbox for all tests of this namespace; each test has a Kubernetes namespace of its own.</summary>
[SetUpFixture]
[Parallelizable(ParallelScope.Self | ParallelScope.Fixtures)]
[SupportedOSPlatform("linux")]
internal sealed class SharedSandbox
{
    private static TestSandbox? _sandbox;
    private static ClusterConnector? _connector;
    private static int _namespaces;

    public static SandboxAddresses Addresses { get; private set; } = null!;

    /// <summary>A small image with a shell, as <c>repository@sha256:…</c>.</summary>
    public static ShellImage Shell { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        TestSandbox.Require();
        _sandbox = new TestSandbox();
        Addresses = await _sandbox.OpenAsync();
        _connector = new(new SilentReporter(), TimeProvider.System);
        Shell = await ShellImage.MakeAsync(_sandbox.Get<IDebianPackages>());
        await Shell.PushAsync(Client(Registry), "probe");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _connector?.Dispose();
        if (_sandbox is not null)
        {
            await _sandbox.DisposeAsync();
        }
    }

    public static RegistryConnection Registry => new(Addresses.Registry, "", Insecure: true, _sandbox!.Directories.DockerConfig);

    public static RegistryClient Client(RegistryConnection registry) => _sandbox!.Get<RegistryClients>().Open(registry);

    public static string ShellReference(string? registry = null) => $"{registry ?? Addresses.Registry}/probe@{Shell.Digest}";

    /// <summary>The reference of a base image.</summary>
    public static Task<string> BaseImageAsync(string name) => _sandbox!.BaseImageAsync(name);

    /// <summary>A namespace of its own.</summary>
    public static async Task<ClusterApi> NamespaceAsync()
    {
        var api = await OpenNewNamespaceAsync();
        await api.CreateAsync(
            new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = api.Namespace } }, default);
        return api;
    }

    /// <summary>A namespace that nobody has made yet.</summary>
    public static Task<ClusterApi> OpenNewNamespaceAsync() =>
        _connector!.OpenAsync(new ClusterConnection(Addresses.Kubeconfig, null, $"test-{Interlocked.Increment(ref _namespaces)}"), default);

    /// <summary>Deletes a namespace with all that is in it; the pods' containers end in the background.</summary>
    public static async Task RemoveAsync(ClusterApi api) =>
        await api.DeleteAsync(new(new("", "v1", "Namespace"), null, api.Namespace), default);

    private sealed class SilentReporter : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}

using System.Runtime.Versioning;
using Cake.K3s.Sandbox.BaseImages;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Tools.Debian;
using Docker.DotNet;
using Docker.DotNet.Models;
using k8s;
using k8s.Models;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>A sandbox with an image of small tools in its engine and registry, and a namespace a test.</summary>
[SupportedOSPlatform("linux")]
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>An image in the engine: busybox and its applets.</summary>
    public const string Tools = "local/tools:1";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string[] Applets = ["sh", "sleep", "cat", "echo", "ls", "id", "stat", "httpd", "wget", "nc", "nslookup", "env", "mkdir", "touch", "test", "rm"];
    private int _count;

    private TestCluster(TestSandbox sandbox, SandboxAddresses addresses)
    {
        (Sandbox, Addresses) = (sandbox, addresses);
        Client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(addresses.Kubeconfig));
        Engine = new DockerClientBuilder().WithEndpoint(new Uri(addresses.DockerHost)).Build();
    }

    public TestSandbox Sandbox { get; }

    public SandboxAddresses Addresses { get; }

    public IKubernetes Client { get; }

    public DockerClient Engine { get; }

    public static async Task<TestCluster> StartAsync()
    {
        TestSandbox.Require();
        var sandbox = new TestSandbox();
        var cluster = new TestCluster(sandbox, await sandbox.OpenAsync());
        await cluster.ImportToolsAsync();
        return cluster;
    }

    /// <summary>A namespace of its own.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = $"t{Interlocked.Increment(ref _count)}-{Environment.ProcessId}";
        await Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = name } });
        return name;
    }

    /// <summary>Creates a pod of a spec in JSON, without the outer braces.</summary>
    public Task<V1Pod> CreatePodAsync(string ns, string name, string spec) =>
        Client.CoreV1.CreateNamespacedPodAsync(
            KubernetesJson.Deserialize<V1Pod>($$$"""{"metadata": {"name": "{{{name}}}", "labels": {"app": "{{{name}}}"}}, "spec": { {{{spec}}} } }"""), ns);

    /// <summary>Waits, on a watch, until a pod is as it should be.</summary>
    public async Task<V1Pod> PodAsync(string ns, string name, Func<V1Pod, bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        V1Pod? last = null;
        try
        {
            await foreach (var (_, pod) in Client.CoreV1.WatchListNamespacedPodAsync(ns, fieldSelector: $"metadata.name={name}", cancellationToken: patience.Token))
            {
                last = pod;
                if (condition(pod))
                {
                    return pod;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told below, with what the pod was like.
        }

        throw new AssertionException($"pod {name} did not get there: {(last is null ? "it was never seen" : KubernetesJson.Serialize(last.Status))}");
    }

    /// <summary>Asks until the answer is as it should be.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var answer = await ask();
            if (condition(answer))
            {
                return answer;
            }

            Assert.That(patience.IsCancellationRequested, Is.False, $"still {(answer is IKubernetesObject item ? KubernetesJson.Serialize(item) : answer?.ToString())}");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>The messages of a pod's events of a reason.</summary>
    public async Task<IReadOnlyList<string>> EventsAsync(string ns, string name, string reason) =>
        [.. (await Client.CoreV1.ListNamespacedEventAsync(ns)).Items.Where(e => e.InvolvedObject.Name == name && e.Reason == reason).Select(e => e.Message)];

    public async Task<string> LogAsync(string ns, string name, bool previous = false)
    {
        await using var log = await Client.CoreV1.ReadNamespacedPodLogAsync(name, ns, previous: previous);
        using var reader = new StreamReader(log);
        return await reader.ReadToEndAsync();
    }

    /// <summary>Puts the tools into the sandbox's registry under a name, and gives the whole reference.</summary>
    public async Task<string> PushToolsAsync(string name)
    {
        var repository = $"{Addresses.Registry}/{name}";
        await Engine.Images.TagImageAsync(Tools, new ImageTagParameters { RepositoryName = repository, Tag = "1" });
        await Engine.Images.PushImageAsync(repository, new ImagePushParameters { Tag = "1" }, new AuthConfig(), new Progress<JSONMessage>());
        await Engine.Images.DeleteImageAsync($"{repository}:1", new ImageDeleteParameters());
        return $"{repository}:1";
    }

    /// <summary>Imports a root file system as an image.</summary>
    public async Task ImportAsync(Stream files, string name, string? platform = null) => await Engine.Images.CreateImageAsync(
        new ImagesCreateParameters { FromSrc = "-", Repo = name.Split(':')[0], Tag = name.Split(':')[1], Platform = platform! },
        files,
        null,
        new Progress<JSONMessage>());

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Engine.Dispose();
        await Sandbox.DisposeAsync();
    }

    private async Task ImportToolsAsync()
    {
        var packages = Sandbox.Get<IDebianPackages>();
        var folder = Directory.CreateTempSubdirectory("cake-k3s-tools-").FullName;
        try
        {
            var found = await packages.ResolveAsync(DebianRelease.Current, ["busybox-static"], withDependencies: false, default);
            await packages.UnpackAsync(DebianRelease.Current, found, folder, default);
            var tree = new ImageTree();
            tree.AddFile("bin/busybox", Directory.EnumerateFiles(folder, "busybox", SearchOption.AllDirectories).First(path => path.Contains("bin/", StringComparison.Ordinal)));
            foreach (var applet in Applets)
            {
                tree.AddLink("bin/" + applet, "busybox");
            }

            tree.AddDirectory("tmp", (UnixFileMode)0x3FF);
            using var tar = new MemoryStream();
            await tree.WriteAsync(tar, default);
            tar.Position = 0;
            await ImportAsync(tar, Tools);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

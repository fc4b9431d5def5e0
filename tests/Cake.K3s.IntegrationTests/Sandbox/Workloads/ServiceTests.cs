using System.Net;
using System.Runtime.Versioning;
using Cake.K3s.Sandbox.Daemon;
using k8s;
using k8s.Models;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>Workloads behind Services and Ingresses, with real traffic. One of the tests kills the daemon that other fixtures use, too.</summary>
[TestFixture]
[NonParallelizable]
[SupportedOSPlatform("linux")]
internal sealed class ServiceTests
{
    private const string Host = "web.localhost";

    private string _ns = "";
    private HttpClient _http = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _ns = await SharedCluster.Instance.NamespaceAsync();
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{SharedCluster.Instance.Addresses.IngressPort}"), DefaultRequestHeaders = { Host = Host } };
        await DeployAsync();
        await CompleteAsync(1);
    }

    [OneTimeTearDown]
    public void Stop() => _http?.Dispose();

    [Test]
    public async Task Should_Answer_On_Loopback_When_An_Ingress_Names_The_Host() =>
        Assert.That(await _http.GetStringAsync("/name"), Does.StartWith("web-"));

    [Test]
    public async Task Should_Answer_As_Traefik_Does_When_No_Ingress_Names_The_Host()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "other.localhost" } };
        using var response = await _http.SendAsync(request);

        Assert.That((response.StatusCode, await response.Content.ReadAsStringAsync()), Is.EqualTo((HttpStatusCode.NotFound, "404 page not found\n")));
    }

    [Test]
    public async Task Should_Find_A_Service_By_Name_When_Another_Pod_Asks()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "asks", """ "restartPolicy": "Never", "containers": [{"name": "main", "image": "local/tools:1", "command": ["wget", "-q", "-O", "-", "http://web/name"]}] """);
        await SharedCluster.Instance.PodAsync(_ns, "asks", pod => pod.Status.Phase == "Succeeded");

        Assert.That(await SharedCluster.Instance.LogAsync(_ns, "asks"), Does.StartWith("web-"));
    }

    [Test]
    public async Task Should_Carry_Datagrams_When_The_Port_Of_A_Service_Is_Udp()
    {
        var core = SharedCluster.Instance.Client.CoreV1;
        var dns = (await core.ReadNamespacedServiceAsync("kube-dns", "kube-system")).Spec.ClusterIP;
        await core.CreateNamespacedServiceAsync(KubernetesJson.Deserialize<V1Service>("""{"metadata": {"name": "names"}, "spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}}"""), _ns);
        await core.CreateNamespacedEndpointsAsync(KubernetesJson.Deserialize<V1Endpoints>(
            $$"""{"metadata": {"name": "names"}, "subsets": [{"addresses": [{"ip": "{{dns}}"}], "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}]}"""), _ns);
        await SharedCluster.Instance.CreatePodAsync(_ns, "resolves", $$""" "restartPolicy": "OnFailure", "containers": [{"name": "main", "image": "local/tools:1", "command": ["nslookup", "kube-dns.kube-system.svc.cluster.local", "names.{{_ns}}"]}] """);
        await SharedCluster.Instance.PodAsync(_ns, "resolves", pod => pod.Status.Phase == "Succeeded");

        Assert.That(await SharedCluster.Instance.LogAsync(_ns, "resolves"), Does.Contain(dns));
    }

    [Test]
    public async Task Should_Lose_No_Request_When_A_Deployment_Rolls()
    {
        using var stop = new CancellationTokenSource();
        var traffic = Task.WhenAll(AskAsync("/name", stop.Token), AskAsync("/name", stop.Token));
        await RollAsync("v2");
        await CompleteAsync(2);
        await stop.CancelAsync();

        var results = await traffic;
        Assert.That(results.Sum(one => one.Asked), Is.GreaterThan(50));
        Assert.That(results.SelectMany(one => one.Failures), Is.Empty);
    }

    [Test]
    public async Task Should_Keep_Containers_Running_And_Ready_When_The_Daemon_Is_Killed()
    {
        var before = (await PodsAsync()).Select(Instance);
        ProcessTable.Send(SharedCluster.Instance.Sandbox.ProcessOf("daemon")!.Value, Signal.Kill);
        await SharedCluster.Instance.Sandbox.OpenAsync();
        await TestCluster.UntilAsync(
            async () =>
            {
                using var response = await _http.GetAsync("/name");
                return response.StatusCode;
            },
            status => status == HttpStatusCode.OK);

        // The node works again when it runs a new pod; by then it has looked at the others.
        await SharedCluster.Instance.CreatePodAsync(_ns, "later", """ "restartPolicy": "Never", "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "exit 0"]}] """);
        await SharedCluster.Instance.PodAsync(_ns, "later", pod => pod.Status.Phase == "Succeeded");

        Assert.That((await PodsAsync()).Select(Instance), Is.EqualTo(before));

        static object Instance(V1Pod pod) => (
            pod.Metadata.Name,
            pod.Status.ContainerStatuses[0].ContainerID,
            pod.Status.ContainerStatuses[0].RestartCount,
            pod.Status.Conditions.Single(condition => condition.Type == "Ready").LastTransitionTime);
    }

    private async Task DeployAsync()
    {
        await SharedCluster.Instance.Client.AppsV1.CreateNamespacedDeploymentAsync(KubernetesJson.Deserialize<V1Deployment>("""
            {"metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
             "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"terminationGracePeriodSeconds": 5, "containers": [{
               "name": "main", "image": "local/tools:1", "ports": [{"name": "http", "containerPort": 8000}],
               "command": ["sh", "-c", "trap 'exit 0' TERM; mkdir /www; echo $HOSTNAME > /www/name; httpd -f -p 8000 -h /www & wait"],
               "env": [{"name": "HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
               "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
               "readinessProbe": {"httpGet": {"path": "/name", "port": "http"}, "periodSeconds": 1}}]}}}}
            """), _ns);
        await SharedCluster.Instance.Client.CoreV1.CreateNamespacedServiceAsync(KubernetesJson.Deserialize<V1Service>("""
            {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}}
            """), _ns);
        await SharedCluster.Instance.Client.NetworkingV1.CreateNamespacedIngressAsync(KubernetesJson.Deserialize<V1Ingress>($$$"""
            {"metadata": {"name": "web"}, "spec": {"rules": [{"host": "{{{Host}}}", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80} } } }]} }]} }
            """), _ns);
    }

    private Task RollAsync(string version) => SharedCluster.Instance.Client.AppsV1.PatchNamespacedDeploymentAsync(
        new V1Patch($$$"""{"spec": {"template": {"metadata": {"annotations": {"version": "{{{version}}}"} } } } }""", V1Patch.PatchType.MergePatch), "web", _ns);

    private Task<V1Deployment> CompleteAsync(long generation) => TestCluster.UntilAsync(
        () => SharedCluster.Instance.Client.AppsV1.ReadNamespacedDeploymentAsync("web", _ns),
        deployment => deployment.Status is { UpdatedReplicas: 2, Replicas: 2, AvailableReplicas: 2 } status && status.ObservedGeneration >= generation);

    private async Task<List<V1Pod>> PodsAsync() =>
        [.. (await SharedCluster.Instance.Client.CoreV1.ListNamespacedPodAsync(_ns, labelSelector: "app=web")).Items.Where(pod => pod.Metadata.DeletionTimestamp is null)];

    private async Task<(int Asked, List<string> Failures)> AskAsync(string path, CancellationToken stop)
    {
        var (asked, failures) = (0, new List<string>());
        while (!stop.IsCancellationRequested)
        {
            asked++;
            try
            {
                using var response = await _http.GetAsync(path, CancellationToken.None);
                if (!response.IsSuccessStatusCode)
                {
                    failures.Add($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(CancellationToken.None)}");
                }
            }
            catch (HttpRequestException e)
            {
                failures.Add(e.ToString());
            }
        }

        return (asked, failures);
    }
}

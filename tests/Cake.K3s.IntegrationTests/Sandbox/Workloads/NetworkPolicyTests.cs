using System.Runtime.Versioning;
using Cake.K3s.Environments;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>Policies on real pods: what the evaluator says is what comes about.</summary>
[SupportedOSPlatform("linux")]
public sealed class NetworkPolicyTests
{
    private const string Policies = """
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: web-in}
        spec:
          podSelector: {matchLabels: {app: web}}
          policyTypes: [Ingress]
          ingress:
            - from: [{podSelector: {matchLabels: {app: friend}}}, {ipBlock: {cidr: nodes}}]
              ports: [{port: http}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: friend-out}
        spec:
          podSelector: {matchLabels: {app: friend}}
          policyTypes: [Egress]
          egress:
            - to: [{podSelector: {matchLabels: {app: web}}}]
              ports: [{port: http}]
        """;

    private TemporaryDirectory _directory = null!;
    private ClusterConnector _connector = null!;
    private ClusterApi _api = null!;
    private NetworkPoliciesControl _control = null!;
    private string _ns = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _directory = new();
        await File.WriteAllTextAsync(Path.Combine(_directory.Path, "policies.yaml"), Policies);
        _ns = await SharedCluster.Instance.NamespaceAsync();
        _connector = new(new RecordingReporter(), TimeProvider.System);
        _api = await _connector.OpenAsync(new ClusterConnection(SharedCluster.Instance.Addresses.Kubeconfig, null, _ns), default);
        _control = new(
            ControlStage.Cluster(_api, new() { NetworkPolicies = new() { Manifests = ["policies.yaml"], ProbeImage = TestCluster.Tools } }, _directory.Path),
            ControlStage.Loader);
        await Task.WhenAll(
            SharedCluster.Instance.CreatePodAsync(_ns, "web", """
                "containers": [{"name": "main", "image": "local/tools:1", "command": ["httpd", "-f", "-p", "8000"], "ports": [{"name": "http", "containerPort": 8000}]}]
                """),
            SharedCluster.Instance.CreatePodAsync(_ns, "friend", """
                "containers": [{"name": "main", "image": "local/tools:1", "command": ["httpd", "-f", "-p", "9000"], "ports": [{"containerPort": 9000}]}]
                """));
        foreach (var name in (string[])["web", "friend"])
        {
            await SharedCluster.Instance.PodAsync(_ns, name, pod => pod.Status.ContainerStatuses is [{ Ready: true }]);
        }
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _connector.Dispose();
        _directory.Dispose();
    }

    [Test]
    public async Task Should_limit_connections_as_evaluated_and_leave_them_open_when_undone()
    {
        var before = await _control.AuditAsync(default);
        var changes = await _control.ApplyAsync(default);
        var verified = await _control.VerifyAsync(default);
        var again = await _control.ApplyAsync(default);
        var table = (await _control.MatrixAsync(planned: false, default)).Table().ToList();
        var after = await _control.AuditAsync(default);

        Assert.Multiple(() =>
        {
            Assert.That(before.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(changes, Has.Length.EqualTo(3));
            Assert.That(again, Is.Empty);
            Assert.That(after.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
            Assert.That(verified.Select(finding => finding.Target), Is.SupersetOf(["web", "friend", "another namespace"]));
            Assert.That(verified.Where(finding => !finding.State.IsFine()).SelectMany(finding => finding.Evidence), Is.Empty);
            Assert.That(table.Single(line => line.StartsWith("friend ", StringComparison.Ordinal)), Does.Match("^friend +yes"));
        });

        // The very same probes find all open once the policies are gone, so they had been denied.
        await _control.UndoAsync(default);
        var matrix = await _control.MatrixAsync(planned: false, default);
        Assert.That(matrix.Flows.Where(item => !item.Verdict.IsAllowed), Is.Empty);
        Assert.That((await _control.VerifyAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }
}

using Cake.K3s.Sandbox.Node;
using Cake.K3s.Sandbox.Node.Pods;
using Docker.DotNet.Models;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class ContainerSpecificationTests
{
    private static readonly NodeOptions Options = new() { DockerEndpoint = new("unix:///none"), StateDirectory = "/none", ClusterId = "test" };

    [Test]
    public void Should_Run_As_The_User_Of_The_Container_When_Pod_And_Container_Name_One() =>
        Assert.That(
            Create(""" "securityContext": {"runAsUser": 1, "runAsGroup": 7, "fsGroup": 9}, "containers": [{"name": "api", "image": "i", "securityContext": {"runAsUser": 2}}] """),
            Has.Property(nameof(CreateContainerParameters.User)).EqualTo("2:7"));

    [Test]
    public void Should_Add_The_Groups_Of_The_Volumes_When_The_Pod_Has_Some() =>
        Assert.That(
            Create(""" "securityContext": {"fsGroup": 9, "supplementalGroups": [5]}, "containers": [{"name": "api", "image": "i"}] """).HostConfig!.GroupAdd,
            Is.EqualTo(new[] { "5", "9" }));

    [Test]
    public void Should_Confine_The_Process_When_The_Security_Context_Says_So()
    {
        var host = Create("""
            "containers": [{"name": "api", "image": "i", "securityContext":
              {"readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}]
            """).HostConfig!;

        Assert.That(
            (host.ReadonlyRootfs, host.SecurityOpt!.Single(), host.CapDrop!.Single(), host.CapAdd!.Single()),
            Is.EqualTo((true, "no-new-privileges", "ALL", "NET_BIND_SERVICE")));
    }

    [Test]
    public void Should_Limit_Memory_Without_Swap_And_Processor_Time_When_There_Are_Limits()
    {
        var host = Create(""" "containers": [{"name": "api", "image": "i", "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1500m", "memory": "64Mi"}}}] """).HostConfig!;

        Assert.That((host.Memory, host.MemorySwap, host.NanoCPUs, host.CPUShares), Is.EqualTo((64L << 20, 64L << 20, 1_500_000_000L, 256L)));
    }

    [Test]
    public void Should_Join_The_Network_Of_The_Sandbox_When_It_Is_Created() =>
        Assert.That(Create(""" "containers": [{"name": "api", "image": "i"}] """).HostConfig!.NetworkMode, Is.EqualTo("container:pause-id"));

    [Test]
    public void Should_Expand_Variables_When_Command_And_Arguments_Name_Them()
    {
        var created = Create(""" "containers": [{"name": "api", "image": "i", "command": ["run", "$(PORT)"], "args": ["--port=$(PORT)"]}] """);

        Assert.That((created.Entrypoint![1], created.Cmd![0]), Is.EqualTo(("8000", "--port=8000")));
    }

    [TestCase("", "container has runAsNonRoot and image will run as root")]
    [TestCase("0", "container has runAsNonRoot and image will run as root")]
    [TestCase("app", "image has non-numeric user (app), cannot verify user is non-root")]
    public void Should_Refuse_When_It_Must_Not_Be_Root_But_Might(string imageUser, string message) =>
        Assert.That(
            () => Create(""" "securityContext": {"runAsNonRoot": true}, "containers": [{"name": "api", "image": "i"}] """, imageUser),
            Throws.TypeOf<ContainerConfigException>().With.Message.Contains(message));

    [Test]
    public void Should_Bind_Host_Ports_To_Loopback_When_No_Address_Is_Asked_For()
    {
        var pod = TestPods.Pod(""" "containers": [{"name": "api", "image": "i", "ports": [{"containerPort": 80, "hostPort": 8080}]}] """);

        var binding = ContainerSpecification.Sandbox(pod, Options, PodDns.For(pod, Options), 0).HostConfig!.PortBindings!["80/tcp"].Single();

        Assert.That((binding.HostIP, binding.HostPort), Is.EqualTo(("127.0.0.1", "8080")));
    }

    [Test]
    public void Should_Ask_The_Cluster_Dns_First_When_The_Policy_Is_The_Default()
    {
        var pod = TestPods.Pod(""" "dnsConfig": {"searches": ["example.com"], "options": [{"name": "ndots", "value": "2"}]}, "containers": [{"name": "api", "image": "i"}] """);

        var dns = PodDns.For(pod, Options);

        Assert.Multiple(() =>
        {
            Assert.That(dns.Servers, Is.EqualTo(new[] { "10.43.0.10" }));
            Assert.That(dns.Searches, Is.EqualTo(new[] { "shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com" }));
            Assert.That(dns.Options, Is.EqualTo(new[] { "ndots:5", "ndots:2" }));
        });
    }

    private static CreateContainerParameters Create(string spec, string imageUser = "")
    {
        var pod = TestPods.Pod(spec);
        return ContainerSpecification.Container(
            pod, pod.Spec.Containers[0], Options, "pause-id", 0, new Dictionary<string, string> { ["PORT"] = "8000" }, [], imageUser);
    }
}

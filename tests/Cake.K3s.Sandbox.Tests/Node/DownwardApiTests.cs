using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class DownwardApiTests
{
    private static readonly V1Pod Pod = TestPods.Pod("""
        "nodeName": "n1", "serviceAccountName": "robot",
        "containers": [{"name": "api", "image": "i", "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}}}]
        """);

    [TestCase("metadata.name", "api-0")]
    [TestCase("metadata.namespace", "shop")]
    [TestCase("metadata.labels['app']", "api")]
    [TestCase("metadata.labels['none']", "")]
    [TestCase("metadata.annotations", "team=\"a \\\"b\\\"\"")]
    [TestCase("spec.nodeName", "n1")]
    [TestCase("spec.serviceAccountName", "robot")]
    [TestCase("status.podIP", "10.42.0.7")]
    [TestCase("status.hostIP", "10.42.0.1")]
    public void Should_Give_The_Field_When_It_Is_One_Of_The_Pod(string path, string expected) =>
        Assert.That(DownwardApi.Field(Pod, path, "10.42.0.7", "10.42.0.1"), Is.EqualTo(expected));

    [Test]
    public void Should_Refuse_When_There_Is_No_Such_Field() =>
        Assert.That(() => DownwardApi.Field(Pod, "spec.none", "", ""), Throws.TypeOf<ContainerConfigException>());

    [TestCase("requests.cpu", "1", "1", Description = "rounded up to whole cores")]
    [TestCase("requests.cpu", "1m", "250")]
    [TestCase("limits.memory", "1Mi", "64")]
    [TestCase("limits.cpu", "1", "4", Description = "no limit is what the node has")]
    public void Should_Count_In_Divisors_When_A_Resource_Is_Asked_For(string resource, string divisor, string expected) =>
        Assert.That(
            DownwardApi.Resource(
                Pod,
                Pod.Spec.Containers[0],
                new V1ResourceFieldSelector { Resource = resource, Divisor = new ResourceQuantity(divisor) },
                new Dictionary<string, decimal> { ["cpu"] = 4 }),
            Is.EqualTo(expected));

    [TestCase(""" "containers": [{"name": "a", "image": "i"}] """, "BestEffort")]
    [TestCase(""" "containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "1"}}}] """, "Burstable")]
    [TestCase(""" "containers": [{"name": "a", "image": "i", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}] """, "Guaranteed")]
    public void Should_Class_The_Pod_When_Its_Containers_Ask_For_Resources(string spec, string expected) =>
        Assert.That(Quantities.QualityOfService(TestPods.Pod(spec).Spec), Is.EqualTo(expected));

    [Test]
    public void Should_Count_The_Largest_Init_Container_When_It_Needs_More_Than_The_Others_Together()
    {
        var pod = TestPods.Pod("""
            "initContainers": [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "2"}}}],
            "containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "500m"}}}, {"name": "b", "image": "i", "resources": {"limits": {"cpu": "500m"}}}]
            """);

        Assert.That(Quantities.PodRequest(pod.Spec, "cpu"), Is.EqualTo(2));
    }

    [Test]
    public void Should_Name_The_Services_Of_The_Namespace_And_The_Api_When_Variables_Are_Made()
    {
        V1Service[] services = [Service("default", "kubernetes", "10.43.0.1", 443), Service("shop", "my-db", "10.43.0.9", 5432), Service("other", "db", "10.43.0.8", 1)];

        var variables = ContainerEnvironment.ServiceVariables(Pod, services);

        Assert.Multiple(() =>
        {
            Assert.That(variables["KUBERNETES_SERVICE_HOST"], Is.EqualTo("10.43.0.1"));
            Assert.That(variables["MY_DB_SERVICE_PORT"], Is.EqualTo("5432"));
            Assert.That(variables["MY_DB_PORT_5432_TCP_ADDR"], Is.EqualTo("10.43.0.9"));
            Assert.That(variables.Keys, Has.None.StartsWith("DB_"));
        });
    }

    private static V1Service Service(string ns, string name, string address, int port) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
        Spec = new V1ServiceSpec { ClusterIP = address, Ports = [new V1ServicePort { Port = port }] },
    };
}

using Cake.K3s.Hardening.Nodes.K3s;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class ClusterReadingTests
{
    private const string Nodes = "node=n1 True\nnode=n2 True\nnode=n3 True\n";
    private const string Whole = "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\nreadyz check passed\n";

    [TestCase(Nodes + Whole, null)]
    [TestCase("node=n1 False\nnode=n2 True\nnode=n3 True\n" + Whole, null, TestName = "Should_not_mind_the_node_itself_When_it_is_what_is_to_be_mended")]
    [TestCase("node=n1 True\nnode=n2 True\nnode=n3 Unknown\n" + Whole, "n3 is not Ready")]
    [TestCase("node=n1 True\nnode=n2 True\nnode=n3\n" + Whole, "n3 is not Ready", TestName = "Should_object_When_a_node_has_never_reported")]
    [TestCase(
        Nodes + "Error from server (InternalError): an error on the server (\"[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n[-]etcd-readiness failed: reason withheld\nreadyz check failed\") has prevented the request from succeeding\n",
        "etcd is not ready on n2: [-]etcd failed: reason withheld")]
    [TestCase("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n", "the API of n2 does not answer")]
    [TestCase(Nodes, "the API of n2 does not answer", TestName = "Should_object_When_etcd_is_not_told_of")]
    [TestCase("", "the API of n2 does not answer", TestName = "Should_object_When_nothing_is_said")]
    public void Should_say_whether_the_cluster_can_do_without_a_node(string output, string? objection) =>
        Assert.That(ClusterReading.Parse(output).Objection("n2", without: "n1"), Is.EqualTo(objection));
}

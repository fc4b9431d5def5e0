using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Nodes;

public sealed class NodeSelectionTests
{
    private static readonly EnvironmentSettings Environment = new()
    {
        Name = "production",
        Nodes = [.. new[] { "node-1", "node-2", "node-3" }.Select(name => new NodeSettings { Name = name, Host = name })],
    };

    [TestCase("", "node-1 node-2 node-3")]
    [TestCase("node-3,node-1", "node-1 node-3")]
    public void Should_TakeTheNamedOnesInOrder_When_NodesAreChosen(string nodes, string expected) =>
        Assert.That(string.Join(' ', NodeSelection.Of(Environment, Options(nodes)).Select(node => node.Name)), Is.EqualTo(expected));

    [Test]
    public void Should_NameTheNearest_When_ThereIsNoSuchNode() =>
        Assert.That(() => NodeSelection.Of(Environment, Options("nod-2")), Throws.TypeOf<K3sException>().With.Property("NextStep").Contains("'node-2'"));

    private static RunOptions Options(string nodes) =>
        new() { Root = "/", SettingsFile = "/deploy.yaml", Nodes = [.. nodes.Split(',', StringSplitOptions.RemoveEmptyEntries)] };
}

using Cake.K3s.Images;

namespace Cake.K3s.Tests.Images;

internal sealed class DockerIgnoreTests
{
    [TestCase("a", "a", true)]
    [TestCase("a", "a/b/c", true)]
    [TestCase("a", "b/a", false)]
    [TestCase("/a/", "a/b", true)]
    [TestCase("./a", "a", true)]
    [TestCase("*.log", "x.log", true)]
    [TestCase("*.log", "d/x.log", false)]
    [TestCase("**/*.log", "d/e/x.log", true)]
    [TestCase("**/*.log", "x.log", true)]
    [TestCase("a/**", "a/b/c", true)]
    [TestCase("**/bin", "src/bin/x.dll", true)]
    [TestCase("?.txt", "a.txt", true)]
    [TestCase("?.txt", "ab.txt", false)]
    [TestCase("[ab].txt", "b.txt", true)]
    [TestCase("a.b", "axb", false)]
    [TestCase("# a", "# a", false)]
    public void Should_decide_as_Docker_does(string pattern, string path, bool ignored) =>
        Assert.That(DockerIgnore.Parse([pattern]).Ignores(path), Is.EqualTo(ignored));

    [Test]
    public void Should_take_a_file_back_When_a_later_pattern_says_so()
    {
        var ignore = DockerIgnore.Parse(["*", "!out", "out/*.pdb"]);

        Assert.That(ignore.Ignores("Program.cs"), Is.True);
        Assert.That(ignore.Ignores("out/app.dll"), Is.False);
        Assert.That(ignore.Ignores("out/app.pdb"), Is.True);
    }

    [Test]
    public void Should_walk_into_an_ignored_directory_only_When_something_may_be_taken_back()
    {
        Assert.That(DockerIgnore.Parse(["node_modules"]).IgnoresAllBelow("node_modules"), Is.True);
        Assert.That(DockerIgnore.Parse(["node_modules", "!node_modules/kept"]).IgnoresAllBelow("node_modules"), Is.False);
    }
}

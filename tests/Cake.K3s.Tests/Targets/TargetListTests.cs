using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Targets;
using Cake.K3s.Tasks;

namespace Cake.K3s.Tests.Targets;

public sealed class TargetListTests
{
    private static readonly IReadOnlyList<Target> Targets = Target.AllOf(
        typeof(K3sContext).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(IFrostingTask)) && !type.IsAbstract));

    [Test]
    public void Should_ListGroupsAndTargetsInTheOrderOfThePipeline()
    {
        var lines = TargetList.Text(Targets).Split('\n');

        Assert.That(lines[0], Is.EqualTo("Pipeline"));
        Assert.That(Array.IndexOf(lines, "Start"), Is.LessThan(Array.IndexOf(lines, "Operations")));
        Assert.That(At("BuildImage"), Is.LessThan(At("Sign")));
        Assert.That(At("Deploy"), Is.LessThan(At("VerifyRollout")));
        Assert.That(lines, Has.None.StartsWith("  Default"));

        int At(string target) => Array.FindIndex(lines, line => line.StartsWith($"  {target} ", StringComparison.Ordinal));
    }

    [Test]
    public void Should_DescribeEveryTargetInOneSentence()
    {
        Assert.That(Targets, Has.All.Matches<Target>(target => target.Description.EndsWith('.') && !target.Description.Contains('\n')));
    }

    [Test]
    public void Should_SeparateEverySwitchFromItsMeaning() =>
        Assert.That(Switches.Help.Where(line => line.StartsWith("  --", StringComparison.Ordinal)), Has.All.Matches(@"^  --\S+ +\S"));

    [Test]
    public void Should_NameOnlyTargetsAndSwitchesThatExist_When_ItShowsExamples()
    {
        var words = Switches.Help.SelectMany(line => line.Split(' ')).Where(word => word.StartsWith("--", StringComparison.Ordinal)).Select(word => word.Trim(')', '"').Split('='));
        foreach (var word in words)
        {
            Assert.That(Switches.Everything.Select(known => "--" + known.Name), Does.Contain(word[0]));
            Assert.That(word[0] != "--target" || Targets.Any(target => target.Name == word[1]), word[^1]);
        }
    }
}

using System.Reflection;
using Cake.K3s.Kubernetes.Linting;

namespace Cake.K3s.Tests.Kubernetes.Linting;

public sealed class LintRuleCatalogTests
{
    private static readonly List<LintRule> Rules = [.. typeof(LintRule).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(LintRule).Namespace)
        .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static))
        .Select(field => field.GetValue(null))
        .OfType<LintRule>()];

    [Test]
    public void Should_have_an_id_and_a_name_of_its_own()
    {
        Assert.That(Rules.Select(rule => rule.Id), Is.Unique.And.Not.Empty);
        Assert.That(Rules.Select(rule => rule.Name), Is.Unique);
    }

    [Test]
    public void Should_be_documented_word_for_word()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "manifests.md"));

        foreach (var rule in Rules)
        {
            Assert.That(page, Does.Contain($"| {rule.Id} | `{rule.Name}` | {rule.Severity.ToString().ToLowerInvariant()} | {rule.Why} {rule.Hint} |"));
        }
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "deploy.yaml")))
        {
            directory = directory.Parent;
        }

        return directory.FullName;
    }
}

using System.Text.RegularExpressions;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Sandbox;
using Cake.K3s.Settings.Schema;
using Cake.K3s.Targets;
using Cake.K3s.Tasks;

namespace Cake.K3s.IntegrationTests.Documentation;

/// <summary>What the pages say is so: links lead somewhere, commands name what exists, and generated pages are current.</summary>
public sealed partial class DocumentationTests
{
    private static readonly IReadOnlyList<Type> Tasks =
    [
        .. new[] { typeof(K3sContext).Assembly, typeof(SandboxHostExtensions).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type.IsAssignableTo(typeof(IFrostingTask)) && !type.IsAbstract),
    ];

    private static IEnumerable<string> Pages => Directory.EnumerateFiles(InRoot("docs"), "*.md")
        .Append(InRoot("README.md"))
        .Append(InRoot("CONTRIBUTING.md"))
        .Select(file => Path.GetRelativePath(TestSandbox.RepositoryRoot, file))
        .Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Pages))]
    public void Should_LinkToWhatIsThere(string page)
    {
        foreach (Match link in Link().Matches(File.ReadAllText(InRoot(page))))
        {
            var (file, anchor) = link.Groups[1].Value.Split('#') is [var path, var part] ? (path, part) : (link.Groups[1].Value, null);
            var target = file.Length == 0 ? InRoot(page) : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(InRoot(page))!, file));
            Assert.That(Path.Exists(target), $"{page}: {link.Value}");
            if (anchor is not null)
            {
                Assert.That(File.ReadLines(target).Where(line => line.StartsWith('#')).Select(line => ReferencePage.Anchor(line.TrimStart('#', ' '))), Does.Contain(anchor), $"{page}: {link.Value}");
            }
        }
    }

    [TestCaseSource(nameof(Pages))]
    public void Should_NameTargetsAndSwitchesThatExist(string page)
    {
        var targets = Target.AllOf(Tasks).Select(target => target.Name).Append("Default").Append("SmokeTest").ToList();
        foreach (Match word in Word().Matches(string.Join('\n', Commands(File.ReadAllText(InRoot(page))))))
        {
            var name = word.Groups["name"].Value;
            Assert.That(Switches.Everything.Select(known => known.Name), Does.Contain(name), $"{page}: --{name}");
            Assert.That(name != "target" || word.Groups["value"].Value is "" or "NAME" || targets.Contains(word.Groups["value"].Value), $"{page}: {word.Value}");
        }
    }

    [Test]
    public void Should_BeListed_When_ThereIsAPage()
    {
        var readme = File.ReadAllText(InRoot("README.md"));

        Assert.That(Directory.EnumerateFiles(InRoot("docs"), "*.md").Select(Path.GetFileName), Has.All.Matches<string>(page => readme.Contains($"docs/{page}", StringComparison.Ordinal)));
    }

    [Test]
    public void Should_BeCurrent_When_APageIsGenerated()
    {
        const string Advice = "run ./build.sh --target=Schema";
        Assert.That(File.ReadAllText(InRoot("docs/settings.md")), Is.EqualTo(new SettingsReference(SettingsDocumentation.OfLibrary()).Write()), Advice);
        Assert.That(File.ReadAllText(InRoot("docs/targets.md")), Is.EqualTo(TargetReference.Write(Tasks)), Advice);
    }

    [Test]
    public void Should_QuoteErrorsThatExist_When_APageSaysWhatToDoAboutThem()
    {
        var sources = string.Join('\n', Directory.EnumerateFiles(InRoot("build"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        var quoted = File.ReadLines(InRoot("docs/troubleshooting.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Code().Matches(line.Split(" | ")[0]).Select(match => match.Groups[1].Value));

        Assert.That(quoted, Has.All.Matches<string>(text => sources.Contains(text, StringComparison.Ordinal)));
    }

    [Test]
    public void Should_FitOnTwoScreens_When_ItIsTheReadme() =>
        Assert.That(File.ReadLines(InRoot("README.md")).TakeWhile(line => line != "## More").Count(), Is.LessThan(80));

    // What is typed: indented blocks and fenced ones, without what a # remarks on.
    private static IEnumerable<string> Commands(string text) => text.Split('\n')
        .Where(line => line.Contains("build.sh", StringComparison.Ordinal) || line.Contains("--project build", StringComparison.Ordinal))
        .Select(line => line.Contains("-- --", StringComparison.Ordinal) ? line[line.IndexOf("-- --", StringComparison.Ordinal)..] : line)
        .Select(line => line.Split("  #")[0]);

    private static string InRoot(string file) => Path.Combine(TestSandbox.RepositoryRoot, file);

    [GeneratedRegex(@"\]\((?!https?:)([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<![\w-])--(?<name>[a-z][a-z-]+)(=(?<value>[\w-]+))?")]
    private static partial Regex Word();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}

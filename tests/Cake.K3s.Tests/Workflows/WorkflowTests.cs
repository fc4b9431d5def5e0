using System.Text.RegularExpressions;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Targets;
using Cake.K3s.Tasks;
using Cake.K3s.Tests.Fixtures;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Tests.Workflows;

/// <summary>The workflows of Gitea and GitHub Actions. What actionlint says of them: docs/ci.md.</summary>
public sealed partial class WorkflowTests
{
    private static IEnumerable<string> Files => new[] { ".gitea", ".github" }
        .SelectMany(forge => Directory.EnumerateFiles(SourceTree.File(forge + "/workflows")))
        .Select(file => Path.GetRelativePath(SourceTree.File("."), file));

    [Test]
    public void Should_BeTheSameForBoth_But_ForTheActionThatKeepsTheReport()
    {
        foreach (var file in Directory.EnumerateFiles(SourceTree.File(".gitea/workflows")))
        {
            Assert.That(Lines(SourceTree.File(".github/workflows/" + Path.GetFileName(file))), Is.EqualTo(Lines(file)), file);
        }

        static IEnumerable<string> Lines(string file) => File.ReadLines(file).Where(line => !line.Contains("actions/upload-artifact@", StringComparison.Ordinal));
    }

    [TestCaseSource(nameof(Files))]
    public void Should_RunTargetsAndSwitchesThatExist(string file)
    {
        var targets = Target.AllOf(typeof(K3sContext).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(IFrostingTask)) && !type.IsAbstract)).Select(target => target.Name).ToList();
        var commands = File.ReadLines(SourceTree.File(file)).Where(line => line.Contains("./build.sh", StringComparison.Ordinal)).ToList();

        Assert.That(commands, Is.Not.Empty);
        foreach (var word in commands.SelectMany(command => Word().Matches(command)))
        {
            Assert.That(Switches.Everything.Select(known => known.Name), Does.Contain(word.Groups["name"].Value));
            Assert.That(word.Groups["name"].Value != "target" || targets.Contains(word.Groups["value"].Value), word.Value);
        }
    }

    [TestCaseSource(nameof(Files))]
    public void Should_PinEveryActionToACommit(string file) =>
        Assert.That(File.ReadLines(SourceTree.File(file)).Where(line => line.Contains(" uses:", StringComparison.Ordinal)), Has.All.Match("uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v"));

    [TestCaseSource(nameof(Files))]
    public void Should_DoNothing_When_TheRepositoryNamesNoEnvironment(string file)
    {
        foreach (var (_, job) in ((YamlMappingNode)Load(file).Children["jobs"]).Children)
        {
            Assert.That(((YamlMappingNode)job).Children["if"].ToString(), Does.StartWith("vars.DEPLOY_ENVIRONMENT != ''"));
        }
    }

    [TestCaseSource(nameof(Files))]
    public void Should_PutNoExpressionIntoAScript(string file) =>
        Assert.That(File.ReadLines(SourceTree.File(file)).Where(line => line.Contains("run:", StringComparison.Ordinal)), Has.None.Contain("${{"), "what it stands for would be run");

    [TestCaseSource(nameof(Files))]
    public void Should_BeExplained_When_ItReadsASecretOrAVariable(string file)
    {
        var page = File.ReadAllText(SourceTree.File("docs/ci.md"));

        Assert.That(Setting().Matches(File.ReadAllText(SourceTree.File(file))).Select(match => match.Groups[1].Value), Has.All.Matches<string>(name => page.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Test]
    public void Should_KeepSecretsFromPullRequestsOfStrangers() =>
        Assert.That(File.ReadAllText(SourceTree.File(".gitea/workflows/plan.yml")), Does.Contain("github.event.pull_request.head.repo.full_name == github.repository"));

    [Test]
    [Platform(Include = "Unix")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Should_WriteCredentialsForTheirOwnerAlone()
    {
        using var home = new TemporaryDirectory();
        var variables = new Dictionary<string, string?> { ["HOME"] = home.Path, ["KUBECONFIG_TEXT"] = "apiVersion: v1", ["REGISTRY"] = "git.example.com", ["REGISTRY_USER"] = "ann", ["REGISTRY_PASSWORD"] = "p:ss", ["SSH_KEY"] = "key", ["SSH_KNOWN_HOSTS"] = "host key" };

        await RunAsync(variables);

        Assert.That(File.ReadAllText(home.File(".kube", "config")), Is.EqualTo("apiVersion: v1\n"));
        Assert.That(File.ReadAllText(home.File(".docker", "config.json")), Is.EqualTo("{\"auths\":{\"git.example.com\":{\"auth\":\"YW5uOnA6c3M=\"}}}\n"));
        Assert.That(File.ReadAllText(home.File(".ssh", "id_ed25519")), Is.EqualTo("key\n"));
        foreach (var file in Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories))
        {
            Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        }
    }

    [Test]
    [Platform(Include = "Unix")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Should_WriteNothing_When_NoCredentialIsSet()
    {
        using var home = new TemporaryDirectory();

        await RunAsync(new() { ["HOME"] = home.Path, ["REGISTRY"] = "git.example.com" });

        Assert.That(Directory.EnumerateFileSystemEntries(home.Path), Is.Empty);
    }

    private static Task RunAsync(Dictionary<string, string?> variables) => new CommandRunner(new SecretMask(), TimeProvider.System).RunAsync(
        new Command("bash", [SourceTree.File(".ci/credentials")]) { Environment = System.Collections.Immutable.ImmutableDictionary.CreateRange(variables) }, default);

    private static YamlMappingNode Load(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(SourceTree.File(file))));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    [GeneratedRegex(@"--(?<name>[a-z-]+)(=(?<value>\S+))?")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(?:secrets|vars)\.(\w+)")]
    private static partial Regex Setting();
}

using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Targets;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Targets;

public sealed class ShellCompletionTests
{
    private static readonly string[] Targets = ["Deploy", "Doctor", "Plan"];
    private static readonly string[] Environments = ["sandbox", "production"];

    [TestCase("--target = De", "Deploy")]
    [TestCase("--target =", "Deploy Doctor Plan")]
    [TestCase("--target D", "Deploy Doctor")]
    [TestCase("--environment = p", "production")]
    [TestCase("--format = m", "markdown")]
    [TestCase("--rebu", "--rebuild")]
    [TestCase("--to = ", "")]
    [Platform(Include = "Unix")]
    public async Task Should_CompleteInBash(string typed, string expected)
    {
        using var directory = new TemporaryDirectory();
        var script = directory.Write("completion", ShellCompletion.Script("bash", Targets, Environments));
        var words = typed.Split(' ');
        var program = $"""
            compopt() {"{ :; }"}
            . {script}
            COMP_WORDS=(./build.sh {string.Join(' ', words.Select(word => $"'{word}'"))})
            COMP_CWORD={words.Length}
            _cake_k3s
            echo "{"${COMPREPLY[*]}"}"
            complete -p ./build.sh
            """;

        var result = await new CommandRunner(new SecretMask(), TimeProvider.System).RunAsync(new Command("bash", ["-c", program]), default);

        Assert.That(result.StandardOutput.Split('\n')[0], Is.EqualTo(expected));
        Assert.That(result.StandardOutput, Does.Contain("-F _cake_k3s ./build.sh"));
        Assert.That(result.StandardError, Is.Empty);
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("powershell")]
    public void Should_KnowEverySwitchTargetAndEnvironment(string shell)
    {
        var script = ShellCompletion.Script(shell, Targets, Environments);

        Assert.That(Targets.Concat(Environments), Has.All.Matches<string>(script.Contains));
        Assert.That(Switches.Everything, Has.All.Matches<Switch>(known => script.Contains("--" + known.Name, StringComparison.Ordinal)));
    }

    [Test]
    public void Should_NameTheShells_When_ThereIsNoSuchOne()
    {
        var failure = Assert.Throws<K3sException>(() => ShellCompletion.Script("fish", Targets, Environments))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.BadInput));
        Assert.That(failure.NextStep, Does.Contain("bash, zsh, powershell"));
    }

    [TestCase("environments: {a: {}, b: {}}", "a b")]
    [TestCase("environments: [", "")]
    [TestCase("", "")]
    public void Should_ReadEnvironments_When_TheFileIsNotFinished(string text, string expected)
    {
        using var directory = new TemporaryDirectory();
        var options = new RunOptions { Root = directory.Path, SettingsFile = directory.Write("deploy.yaml", text) };

        Assert.That(string.Join(' ', new EnvironmentNames(options).Read()), Is.EqualTo(expected));
    }
}

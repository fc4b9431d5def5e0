using System.Collections.Immutable;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Nodes;

public sealed class FactScriptTests
{
    [Test]
    public async Task Should_ReadEachSourcesFacts_When_OneFailsAndOneReadsInput()
    {
        var facts = FactScript.Read("n1", await RunAsync(new Source("First", "echo a=1; echo lost >&2; cat; exit 3"), new Source("Second", "printf 'a=2\\na=3\\n'")));

        Assert.That(facts.Values("First", "a"), Is.EqualTo(new[] { "1" }));
        Assert.That(facts.Values("Second", "a"), Is.EqualTo(new[] { "2", "3" }));
        Assert.That((facts.OperatorAddress, facts.Address, facts.SshPort), Is.EqualTo(("192.0.2.9", "192.0.2.1", 2222)));
    }

    [Test]
    public async Task Should_AskOnce_When_TwoSourcesAskTheSame()
    {
        var asked = Path.GetTempFileName();
        try
        {
            var script = $"echo x >>{asked}; echo a=1";
            var facts = FactScript.Read("n1", await RunAsync(new Source("First", script), new Source("Second", "echo a=2"), new Source("Third", script)));

            Assert.That(new[] { "First", "Second", "Third" }.Select(name => facts.Value(name, "a")), Is.EqualTo(new[] { "1", "2", "1" }));
            Assert.That(await File.ReadAllTextAsync(asked), Is.EqualTo("x\n"));
        }
        finally
        {
            File.Delete(asked);
        }
    }

    [Test]
    public async Task Should_RunOnceWhatSourcesShare_When_ItFailsToo()
    {
        const string Shared = "known=$((known + 1))\necho lost >&2\nfalse";
        var facts = FactScript.Read("n1", await RunAsync(new Source("First", "echo a=$known") { SharedScripts = [Shared] }, new Source("Second", "echo b=$known") { SharedScripts = [Shared] }));

        Assert.That((facts.Value("First", "a"), facts.Value("Second", "b")), Is.EqualTo(("1", "1")));
    }

    [Test]
    public void Should_SayThatItWasCutOff_When_TheFactsAreNotThere() =>
        Assert.That(() => FactScript.Read("n1", "First YQ==\n"), Throws.TypeOf<NodeException>().With.Message.Contains("n1"));

    private static async Task<string> RunAsync(params Source[] sources)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("the facts are of Linux");
        }

        var command = new Command("sh", "-s", "--", "192.0.2.9", "4711", "192.0.2.1", "2222") { StandardInput = new Secret(ShellText.Whole(FactScript.Of(sources))) };
        return (await new CommandRunner(new SecretMask(), TimeProvider.System).RunAsync(command, default)).StandardOutput;
    }

    private sealed record Source(string Name, string FactScript) : IFactSource
    {
        public ImmutableArray<string> SharedScripts { get; init; } = [];
    }
}

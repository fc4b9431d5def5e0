using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Settings;

[TestFixture]
internal sealed class SecretReaderTests
{
    private readonly SecretMask _mask = new();
    private string _root;
    private SecretReader _reader;

    [SetUp]
    public void MakeDirectory()
    {
        _root = Directory.CreateTempSubdirectory("cake-k3s-secret-").FullName;
        var variables = new EnvironmentVariables(name => name == "TOKEN" ? "from a variable" : null);
        _reader = new SecretReader(variables, new CommandRunner(_mask, TimeProvider.System), _mask);
    }

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task Should_GiveAVariable_When_ItIsSet()
    {
        Assert.That(await ReadAsync(new SecretSource { Variable = "TOKEN" }), Is.EqualTo("from a variable"));
    }

    [Test]
    public async Task Should_DropOneLineEnd_When_ItIsAFile()
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "secret"), "two\nlines\n\n");

        Assert.That(await ReadAsync(new SecretSource { File = "secret" }), Is.EqualTo("two\nlines\n"));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task Should_RunBesideDeployYaml_When_ItIsACommand()
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "secret"), "of a command");

        Assert.That(await ReadAsync(new SecretSource { Command = "cat secret" }), Is.EqualTo("of a command"));
    }

    [Test]
    public async Task Should_HideIt_When_ItHasBeenRead()
    {
        await ReadAsync(new SecretSource { Variable = "TOKEN" });

        Assert.That(_mask.Hide("it is from a variable!"), Is.EqualTo("it is ***!"));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task Should_GiveItUnmasked_When_ACommandPrintsAKnownSecretAgain()
    {
        await ReadAsync(new SecretSource { Command = "echo again and again" });

        Assert.That(await ReadAsync(new SecretSource { Command = "echo again and again" }), Is.EqualTo("again and again"));
    }

    [TestCase("echo half; exit 3", "ended with exit code 3")]
    [TestCase("true", "prints nothing")]
    [Platform(Exclude = "Win")]
    public void Should_SayWhatFailed_When_ACommandGivesNone(string command, string expected)
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => ReadAsync(new SecretSource { Command = command }))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Summary, Does.Contain(expected));
        Assert.That(failure.Details, Has.None.EqualTo("half"));
    }

    [TestCase("the environment variable NOT_SET is not set", "NOT_SET", null)]
    [TestCase("missing-file", null, "missing-file")]
    [TestCase("a service of the sandbox", null, null)]
    public void Should_SayWhatIsMissing_When_ItIsNotThere(string expected, string? variable, string? file)
    {
        Assert.That(
            async () => await ReadAsync(new SecretSource { Variable = variable, File = file }),
            Throws.InstanceOf<K3sException>()
                .With.Property("ExitCode").EqualTo(ExitCodes.RequirementMissing)
                .And.Message.StartsWith("secret DATABASE_URL cannot be read: ")
                .And.Message.Contains(expected));
    }

    private async Task<string> ReadAsync(SecretSource source) =>
        (await _reader.ReadAsync("secret DATABASE_URL", source, _root, CancellationToken.None)).Reveal();
}

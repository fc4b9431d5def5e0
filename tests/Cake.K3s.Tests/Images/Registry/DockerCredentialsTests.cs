using System.Text;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Images.Registry;

internal sealed class DockerCredentialsTests
{
    private const string Host = "registry.example";

    private readonly SecretMask _mask = new();
    private TemporaryDirectory _directory;

    [SetUp]
    public void MakeDirectory() => _directory = new();

    [TearDown]
    public void RemoveDirectory() => _directory.Dispose();

    [Test]
    public async Task Should_find_none_When_there_is_no_configuration() => Assert.That(await FindAsync(), Is.Null);

    [Test]
    public async Task Should_find_name_and_password_and_hide_it_When_the_file_has_them()
    {
        _directory.Write("config.json", $$$$"""{"auths":{"{{{{Host}}}}":{"auth":"{{{{Convert.ToBase64String(Encoding.UTF8.GetBytes("tess:open:sesame"))}}}}"}}}""");

        var found = await FindAsync();

        Assert.That((found?.User, found?.Password?.Reveal()), Is.EqualTo(("tess", "open:sesame")));
        Assert.That(_mask.Hide("it is open:sesame"), Is.EqualTo("it is ***"));
    }

    [Test]
    public async Task Should_find_the_identity_token_When_the_file_has_one()
    {
        _directory.Write("config.json", $$$$"""{"auths":{"{{{{Host}}}}":{"identitytoken":"refresh"}}}""");

        Assert.That((await FindAsync())?.IdentityToken?.Reveal(), Is.EqualTo("refresh"));
    }

    [TestCase("""{"credHelpers":{"registry.example":"fake"}}""")]
    [TestCase("""{"credsStore":"fake"}""")]
    public async Task Should_ask_the_helper_on_its_standard_input_When_one_is_named(string config)
    {
        _directory.Write("config.json", config);
        var commands = new FakeHelper(0, """{"ServerURL":"registry.example","Username":"tess","Secret":"opensesame"}""");

        var found = await FindAsync(commands);

        Assert.That((found?.User, found?.Password?.Reveal()), Is.EqualTo(("tess", "opensesame")));
        Assert.That((commands.Last?.Program, commands.Last?.Arguments.Single(), commands.Last?.StandardInput?.Reveal(), commands.Last?.OutputIsSecret), Is.EqualTo(("docker-credential-fake", "get", Host, true)));
    }

    [Test]
    public async Task Should_take_the_secret_as_a_token_When_the_helper_says_so()
    {
        _directory.Write("config.json", """{"credsStore":"fake"}""");

        Assert.That((await FindAsync(new FakeHelper(0, """{"Username":"<token>","Secret":"refresh"}""")))?.IdentityToken?.Reveal(), Is.EqualTo("refresh"));
    }

    [Test]
    public async Task Should_find_none_When_the_helper_has_none()
    {
        _directory.Write("config.json", """{"credsStore":"fake"}""");

        Assert.That(await FindAsync(new FakeHelper(1, "credentials not found in native keychain\n")), Is.Null);
    }

    [Test]
    public void Should_fail_When_the_helper_fails_for_another_reason()
    {
        _directory.Write("config.json", """{"credsStore":"fake"}""");

        Assert.That(async () => await FindAsync(new FakeHelper(1, "the keychain is locked")), Throws.TypeOf<K3sException>().With.Message.Contains("the keychain is locked"));
    }

    [TestCase("{")]
    [TestCase("""{"auths":{"registry.example":{"auth":"%%"}}}""")]
    public void Should_name_the_file_When_it_is_broken(string config)
    {
        _directory.Write("config.json", config);

        Assert.That(async () => await FindAsync(), Throws.TypeOf<K3sException>().With.Message.Contains("config.json"));
    }

    private Task<RegistryCredential?> FindAsync(ICommandRunner? commands = null) =>
        new DockerCredentials(commands ?? new FakeHelper(1, "not to be asked"), _mask).FindAsync(_directory.Path, Host, default);

    private sealed class FakeHelper(int exitCode, string output) : ICommandRunner
    {
        public Command? Last { get; private set; }

        public Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
        {
            Last = command;
            return Task.FromResult(new CommandResult(exitCode, "", "", TimeSpan.Zero) { SecretOutput = new(output) });
        }

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();
    }
}

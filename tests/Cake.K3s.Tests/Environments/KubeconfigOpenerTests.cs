using Cake.K3s.Environments;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Environments;

public sealed class KubeconfigOpenerTests
{
    private readonly SecretMask _mask = new();
    private readonly Dictionary<string, string> _variables = [];
    private TemporaryDirectory _directory;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _directory.Write("home/.kube/config", """
            apiVersion: v1
            kind: Config
            current-context: staging
            contexts:
            - {name: staging, context: {cluster: c, user: u}}
            - {name: production, context: {cluster: c, user: u}}
            clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"}}]
            users: [{name: u, user: {}}]
            """);
        _directory.Write("cosign.pub", "public");
        _directory.Write("cosign.key", "private");
        _variables.Clear();
        _variables["HOME"] = _directory.File("home");
        _variables["DATABASE_URL"] = "postgres://user:pass@db/app";
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task Should_give_the_pipeline_all_that_it_needs()
    {
        var opened = await OpenAsync();

        Assert.Multiple(() =>
        {
            Assert.That(opened.Cluster, Is.EqualTo(new ClusterConnection(_directory.File("home", ".kube", "config"), "production", "app")));
            Assert.That(opened.Registry, Is.EqualTo(new RegistryConnection("gitea.example.com:3000", "me/app", false, _directory.File("home", ".docker"))));
            Assert.That(opened.Registry.RepositoryOf("api"), Is.EqualTo("gitea.example.com:3000/me/app/api"));
            Assert.That(opened.SigningKey, Is.EqualTo(new SigningKey(_directory.File("cosign.key"), _directory.File("cosign.pub"), null)));
            Assert.That(opened.Secrets["DATABASE_URL"].Reveal(), Is.EqualTo("postgres://user:pass@db/app"));
            Assert.That(_mask.Hide("postgres://user:pass@db/app"), Is.EqualTo("***"));
        });
    }

    [Test]
    public async Task Should_take_credentials_from_where_Docker_is_told_to_keep_them()
    {
        _variables["DOCKER_CONFIG"] = "/run/docker-config";

        Assert.That((await OpenAsync()).Registry.DockerConfig, Is.EqualTo("/run/docker-config"));
    }

    [Test]
    public async Task Should_take_a_registry_without_a_path()
    {
        var opened = await OpenAsync(registry: "127.0.0.1:5000");

        Assert.That(opened.Registry.RepositoryOf("api"), Is.EqualTo("127.0.0.1:5000/api"));
    }

    [Test]
    public void Should_name_the_file_When_there_is_no_kubeconfig()
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => OpenAsync(kubeconfig: "missing"))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Summary, Does.Contain(_directory.File("missing")));
    }

    [Test]
    public void Should_name_the_nearest_context_When_there_is_no_such()
    {
        var failure = Assert.ThrowsAsync<SettingsException>(() => OpenAsync(context: "prodution"))!;

        Assert.That(failure.Message, Does.Contain("there is no context 'prodution'").And.Contain("did you mean 'production'?"));
    }

    [Test]
    public void Should_say_so_When_the_kubeconfig_is_none()
    {
        _directory.Write("broken", "contexts: [");

        Assert.That(() => OpenAsync(kubeconfig: "broken"), Throws.TypeOf<SettingsException>().With.Message.Contains("is not a kubeconfig"));
    }

    [Test]
    public void Should_tell_how_to_make_a_key_When_none_is_named()
    {
        Assert.That(() => OpenAsync(signing: "{}"), Throws.TypeOf<SettingsException>().With.Message.Contains("--target=SignKeyCreate"));
    }

    [TestCase("{privateKey: missing.key}", "private key")]
    [TestCase("{privateKey: cosign.key, publicKey: missing.pub}", "public key")]
    public void Should_name_the_key_that_is_missing(string signing, string expected)
    {
        var failure = Assert.ThrowsAsync<K3sException>(() => OpenAsync(signing: signing))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.Summary, Does.Contain(expected).And.Contain("missing."));
    }

    [Test]
    public async Task Should_mask_a_key_that_is_in_a_variable_and_leave_it_to_cosign_to_read()
    {
        _variables["COSIGN_KEY"] = "-----BEGIN-----\nsecret-key-line\n-----END-----";

        var opened = await OpenAsync(signing: "{privateKey: env://COSIGN_KEY}");

        Assert.That(opened.SigningKey.PrivateKey, Is.EqualTo("env://COSIGN_KEY"));
        Assert.That(_mask.Hide("secret-key-line"), Is.EqualTo("***"));
    }

    [Test]
    public void Should_say_so_When_the_variable_of_a_key_is_not_set()
    {
        Assert.That(() => OpenAsync(signing: "{privateKey: env://COSIGN_KEY}"), Throws.TypeOf<K3sException>().With.Message.Contains("COSIGN_KEY is not set"));
    }

    [Test]
    public async Task Should_leave_a_key_in_a_vault_alone()
    {
        Assert.That((await OpenAsync(signing: "{privateKey: hashivault://cosign}")).SigningKey.PrivateKey, Is.EqualTo("hashivault://cosign"));
    }

    private Task<DeployEnvironment> OpenAsync(
        string kubeconfig = "~/.kube/config",
        string context = "production",
        string registry = "gitea.example.com:3000/me/app",
        string signing = "{privateKey: cosign.key}")
    {
        var settings = SettingsReader.Parse(
            $$"""
            app: app
            images: {}
            signing: {{signing}}
            environments:
              real:
                cluster: {kubeconfig: {{kubeconfig}}, context: {{context}} }
                registry: {address: "{{registry}}"}
                secrets: {DATABASE_URL: {variable: DATABASE_URL} }
            """,
            _directory.File("deploy.yaml"),
            "deploy.yaml");
        var variables = new EnvironmentVariables(_variables.GetValueOrDefault);
        var opener = new KubeconfigOpener(new SecretReader(variables, new CommandRunner(_mask, TimeProvider.System), _mask), variables);
        return opener.OpenAsync(settings, settings.Environments["real"], CancellationToken.None);
    }
}

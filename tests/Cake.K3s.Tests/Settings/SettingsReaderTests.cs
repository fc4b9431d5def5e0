using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Settings;

public sealed class SettingsReaderTests
{
    private const string Minimal = "app: a\nimages: {}\nenvironments: {}\n";

    [Test]
    public void Should_read_every_key()
    {
        var settings = Parse(ExampleSettings.Text);

        Assert.Multiple(() =>
        {
            Assert.That(settings.App, Is.EqualTo("honeydue"));
            Assert.That(settings.Images["api"].Arguments["PORT"], Is.EqualTo("8000"));
            Assert.That(settings.Images["api"].Sources, Is.EqualTo(new[] { "**/*.cs", "../shared/*.cs" }));
            Assert.That(settings.Images["admin"].Dockerfile, Is.EqualTo("Dockerfile"));
            Assert.That(settings.Checks.Test[0].Sources, Is.EqualTo(new[] { "src/**", "tests/**" }));
            Assert.That(settings.Migration!.Timeout, Is.EqualTo(Duration.FromMinutes(15)));
            Assert.That(settings.Signing.Password!.Variable, Is.EqualTo("COSIGN_PASSWORD"));
            Assert.That(settings.Rollout, Is.EqualTo(new RolloutSettings { Keep = 10, Deadline = new(TimeSpan.FromSeconds(150)), RollBack = false }));
            Assert.That(settings.Environments["sandbox"].Secrets["DATABASE_URL"].Sandbox, Is.EqualTo(SandboxService.Postgres));
            Assert.That(settings.Environments["production"].Name, Is.EqualTo("production"));
            Assert.That(settings.Environments["production"].Registry!.Insecure, Is.True);
            Assert.That(settings.Environments["production"].Nodes[0].Port, Is.EqualTo(2222));
            Assert.That(settings.Environments["production"].Nodes[1].Port, Is.Null);
            Assert.That(settings.Environments["production"].Edge!.CloudflareToken!.Variable, Is.EqualTo("CLOUDFLARE_TOKEN"));
        });
    }

    [Test]
    public void Should_have_defaults_for_all_that_is_not_required()
    {
        var settings = Parse(Minimal);

        Assert.That(settings.DefaultEnvironment, Is.EqualTo("sandbox"));
        Assert.That(settings.Manifests, Is.EqualTo(new[] { "manifests/app" }));
        Assert.That(settings.Checks.Lint, Is.Empty);
        Assert.That(settings.Rollout.RollBack, Is.True);
    }

    [Test]
    public void Should_take_plain_text_as_a_check_command()
    {
        Assert.That(Parse(ExampleSettings.Text).Checks.Lint[0].Run, Is.EqualTo("dotnet format --verify-no-changes"));
    }

    [Test]
    public void Should_take_a_key_without_a_value_as_all_defaults()
    {
        var settings = Parse("app: a\nimages: {}\nchecks:\nenvironments:\n  local:\n    sandbox:\n");

        Assert.That(settings.Environments["local"].Sandbox, Is.EqualTo(new SandboxSettings()));
    }

    [Test]
    public void Should_take_anchors()
    {
        var settings = Parse(Minimal.Replace("images: {}", "images: {one: &image {context: src}, two: *image}", StringComparison.Ordinal));

        Assert.That(settings.Images["two"].Context, Is.EqualTo("src"));
    }

    [TestCase("app: a\nimags: {}", "d.yaml:2:1: there is no key in deploy.yaml 'imags'; did you mean 'images'?")]
    [TestCase("app: a\nimages:\n  api:\n    contxt: x", "d.yaml:4:5: there is no key in images.api 'contxt'; did you mean 'context'?")]
    [TestCase("app: a\nimages: {}\nenvironments: {}\nzzzzzzz: 1", "d.yaml:4:1: there is no key in deploy.yaml 'zzzzzzz'; known: app, defaultEnvironment, images, manifests, checks, migration, signing, rollout, forge, telemetry, environments")]
    public void Should_name_the_nearest_key_When_one_is_unknown(string text, string expected) => AssertFails(text, expected);

    [TestCase("app: a\napp: b\nimages: {}\nenvironments: {}", "d.yaml:2:1: this is not YAML")]
    [TestCase("app: [", "d.yaml:2:1: this is not YAML")]
    [TestCase("app: *nothing", "d.yaml:1:6: there is no anchor 'nothing' above")]
    [TestCase("app: a\nimages: &i {one: *i}", "d.yaml:2:18: 'i' contains itself")]
    [TestCase("app: a\n? &k {*k : x}\n: y", "d.yaml:2:7: 'k' contains itself")]
    [TestCase("\t:\t]", "d.yaml:2:1: this is not YAML: a value")]
    [TestCase("app: a\n---\napp: b", "d.yaml:3:1: a second document")]
    [TestCase("", "d.yaml:1:1: the file is empty")]
    public void Should_say_where_When_it_is_not_one_YAML_document(string text, string expected) =>
        Assert.That(Fail(text).Message, Does.StartWith(expected));

    [TestCase("images: {}\nenvironments: {}", "d.yaml:1:1: deploy.yaml has no 'app', which is required")]
    [TestCase("app:\nimages: {}\nenvironments: {}", "d.yaml:1:5: app is empty, expected lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends")]
    [TestCase("app: My App", "d.yaml:1:6: app is 'My App', expected lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends")]
    [TestCase("app: [a]", "d.yaml:1:6: app is a list, expected lower-case")]
    [TestCase("app: a\nimages: x", "d.yaml:2:9: images is 'x', expected a mapping")]
    [TestCase("app: a\nimages: {Api: {context: x}}", "d.yaml:2:10: the name 'Api' in images is not valid, expected lower-case letters and digits, separated by dots, dashes or underscores")]
    [TestCase("app: a\nmanifests: x", "d.yaml:2:12: manifests is 'x', expected a list")]
    [TestCase("app: a\nmanifests: [{}]", "d.yaml:2:13: manifests[0] is a mapping, expected text")]
    [TestCase("app: a\nchecks: {test: [[]]}", "d.yaml:2:17: checks.test[0] is a list, expected text or a mapping")]
    [TestCase("app: a\nrollout: {keep: many}", "d.yaml:2:17: rollout.keep is 'many', expected a whole number from 1 to 1000")]
    [TestCase("app: a\nrollout: {keep: 0}", "d.yaml:2:17: rollout.keep is '0', expected a whole number from 1 to 1000")]
    [TestCase("app: a\nrollout: {deadline: 5 minutes}", "d.yaml:2:21: rollout.deadline is '5 minutes', expected a duration such as 90s, 5m or 1h30m")]
    [TestCase("app: a\nrollout: {rollBack: yes}", "d.yaml:2:21: rollout.rollBack is 'yes', expected true or false")]
    [TestCase("app: a\n? [x]\n: y", "d.yaml:2:3: a key is a list, expected a name")]
    public void Should_say_where_and_what_was_expected_When_a_value_is_wrong(string text, string expected) =>
        Assert.That(Fail(text).Message, Does.StartWith(expected));

    [TestCase("{}", "d.yaml:5:9: environments.here has none of 'sandbox', 'cluster', expected exactly one")]
    [TestCase("{sandbox: {}, cluster: {kubeconfig: k}}", "d.yaml:5:9: environments.here has 2 of 'sandbox', 'cluster', expected exactly one")]
    [TestCase("{cluster: {kubeconfig: k}}", "d.yaml:5:9: an environment with a cluster has no 'registry', which is required: the cluster's nodes pull from it")]
    [TestCase("{sandbox: {}, registry: {address: r.io/x}}", "d.yaml:5:33: the sandbox has a registry of its own, expected no 'registry' beside 'sandbox'")]
    [TestCase("{sandbox: {}, namespace: -x}", "d.yaml:5:34: environments.here.namespace is '-x', expected lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends")]
    [TestCase("{sandbox: {}, arguments: {apis: {}}}", "d.yaml:5:35: there is no image 'apis'; did you mean 'api'?")]
    [TestCase("{sandbox: {}, variables: {A-B: c}}", "d.yaml:5:35: the name 'A-B' in environments.here.variables is not valid, expected letters, digits and underscores, with no digit at the start")]
    [TestCase("{sandbox: {}, variables: {A: c}, secrets: {A: {variable: A}}}", "d.yaml:5:52: 'A' is both a variable and a secret, expected one of them")]
    [TestCase("{sandbox: {}, secrets: {A: {}}}", "d.yaml:5:36: environments.here.secrets.A has none of 'variable', 'file', 'command', 'sandbox', expected exactly one")]
    [TestCase("{sandbox: {}, secrets: {A: {variable: B, file: c}}}", "d.yaml:5:36: environments.here.secrets.A has 2 of 'variable', 'file', 'command', 'sandbox', expected exactly one")]
    [TestCase("{sandbox: {}, secrets: {A: {sandbox: mysql}}}", "d.yaml:5:46: environments.here.secrets.A.sandbox is 'mysql', expected one of postgres")]
    [TestCase("{cluster: {kubeconfig: k}, registry: {address: r.io/x}, secrets: {A: {sandbox: postgres}}}", "d.yaml:5:78: only a sandbox environment has secrets from the sandbox, expected 'variable', 'file' or 'command'")]
    [TestCase("{cluster: {kubeconfig: k}, registry: {address: \"https://r.io/x\"}}", "d.yaml:5:56: environments.here.registry.address is 'https://r.io/x', expected a host and a path without a scheme, such as gitea.example.com/me/honeydue")]
    [TestCase("{sandbox: {}, nodes: [{name: n, host: a}, {name: n, host: b}]}", "d.yaml:5:51: there are two nodes of the name 'n'")]
    [TestCase("{sandbox: {ingressPort: 65536}}", "d.yaml:5:33: environments.here.sandbox.ingressPort is '65536', expected a whole number from 0 to 65535")]
    public void Should_say_where_When_an_environment_is_wrong(string environment, string expected) =>
        AssertFails($"app: a\nimages:\n  api: {{context: x}}\nenvironments:\n  here: {environment}", expected);

    [Test]
    public void Should_say_where_When_the_default_environment_does_not_exist()
    {
        AssertFails(
            "app: a\ndefaultEnvironment: prodution\nimages: {}\nenvironments: {production: {sandbox: }}",
            "d.yaml:2:21: there is no environment 'prodution'; did you mean 'production'?");
    }

    [Test]
    public void Should_refuse_what_is_nested_without_end()
    {
        Assert.That(Fail("app: " + new string('[', 100_000)).Message, Does.Contain("nested too deeply"));
    }

    [Test]
    public void Should_name_the_file_When_it_does_not_exist()
    {
        using var directory = new TemporaryDirectory();

        var failure = Assert.Throws<SettingsException>(() => new SettingsReader().Read(directory.File("deploy.yaml")))!;

        Assert.That(failure.Message, Does.StartWith($"{directory.File("deploy.yaml")}: there is no such file").And.Contain("--settings=FILE"));
        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.BadInput));
    }

    [Test]
    public void Should_know_its_own_file_and_directory()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("deploy.yaml", Minimal);

        var settings = new SettingsReader().Read(file);

        Assert.That((settings.File, settings.Root), Is.EqualTo((file, directory.Path)));
    }

    private static DeploySettings Parse(string text) => SettingsReader.Parse(text, "/app/d.yaml", "d.yaml");

    private static SettingsException Fail(string text) => Assert.Throws<SettingsException>(() => Parse(text))!;

    private static void AssertFails(string text, string expected) => Assert.That(Fail(text).Summary, Is.EqualTo(expected));
}

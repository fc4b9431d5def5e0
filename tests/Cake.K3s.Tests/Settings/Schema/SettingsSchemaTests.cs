using Cake.K3s.Settings.Schema;
using Cake.K3s.Tests.Fixtures;
using NJsonSchema;
using YamlDotNet.Serialization;

namespace Cake.K3s.Tests.Settings.Schema;

public sealed class SettingsSchemaTests
{
    private static readonly string Text = new SettingsSchema(SettingsDocumentation.OfLibrary()).Write();

    private JsonSchema _schema;

    [OneTimeSetUp]
    public async Task ReadAsync() => _schema = await JsonSchema.FromJsonAsync(Text);

    [Test]
    public void Should_be_the_one_that_is_checked_in()
    {
        Assert.That(Text, Is.EqualTo(File.ReadAllText(SourceTree.File(SchemaFile.Name))), "run ./build.sh --target=Schema");
    }

    [Test]
    public void Should_accept_a_file_that_uses_every_key()
    {
        Assert.That(Validate(ExampleSettings.Text), Is.Empty);
    }

    [Test]
    public void Should_accept_this_repositorys_own_file()
    {
        Assert.That(Validate(File.ReadAllText(SourceTree.File("deploy.yaml"))), Is.Empty);
    }

    [TestCase("app: honeydue", "app: Honey Due")]
    [TestCase("dockerfile:", "dokerfile:")]
    [TestCase("keep: 10", "keep: many")]
    [TestCase("deadline: 2m30s", "deadline: soon")]
    [TestCase("{sandbox: postgres}", "{sandbox: mysql}")]
    [TestCase("{variable: COSIGN_PASSWORD}", "{variable: COSIGN_PASSWORD, file: x}")]
    [TestCase("      kubeconfig: ~/.kube/config\n", "")]
    [TestCase("API_HOST:", "API-HOST:")]
    [TestCase("ingressPort: 8080", "ingressPort: 80800")]
    public void Should_refuse_what_the_reader_refuses(string right, string wrong)
    {
        Assert.That(Validate(ExampleSettings.Text.Replace(right, wrong, StringComparison.Ordinal)), Is.Not.Empty);
    }

    [Test]
    public void Should_describe_a_key_in_the_words_of_the_file()
    {
        Assert.That(
            _schema.Properties["images"].PatternProperties.Single().Value.ActualSchema.Properties["sources"].Description,
            Does.StartWith("Files that 'prepare' reads, as globs relative to the context"));
    }

    private IEnumerable<string> Validate(string yaml)
    {
        var json = new SerializerBuilder().JsonCompatible().Build().Serialize(
            new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new StringReader(yaml))!);
        return _schema.Validate(json).Select(error => error.ToString());
    }
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Settings;
using Cake.K3s.Settings.Schema;
using Cake.K3s.Tests.Fixtures;
using NJsonSchema;
using YamlDotNet.Serialization;

namespace Cake.K3s.Tests.Settings;

/// <summary>The environment of docs/production.md, as an operator copies it.</summary>
public sealed partial class ProductionPageTests
{
    // For stand-ins and for other days: the page shows those of use in comments.
    private static readonly string[] LeftOut = ["cloudflareApi", "api", "insecure", "port"];

    private static string Environments => Block().Match(File.ReadAllText(SourceTree.File("docs/production.md"))).Groups[1].Value;

    private static string Whole => "app: honeydue\nimages: {}\nmanifests: [manifests/app]\nsigning: {privateKey: cosign.key}\ndefaultEnvironment: production\n" + Environments;

    [Test]
    public void Should_be_read_as_it_stands()
    {
        using var directory = new TemporaryDirectory();

        var settings = new SettingsReader().Read(directory.Write("deploy.yaml", Whole));

        var production = settings.EnvironmentNamed("production");
        Assert.That(production.Uptime!.Checks, Has.Length.EqualTo(2));
        Assert.That(production.Regions, Is.SubsetOf(settings.Environments.Keys));
        Assert.That(production.Edge!.LoadBalancer!.Regions, Is.SubsetOf(settings.Environments.Keys));
    }

    [Test]
    public async Task Should_fit_the_schema()
    {
        var schema = await JsonSchema.FromJsonAsync(File.ReadAllText(SourceTree.File(SchemaFile.Name)));
        var json = new SerializerBuilder().JsonCompatible().Build().Serialize(
            new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new StringReader(Whole))!);

        Assert.That(schema.Validate(json).Select(error => error.ToString()), Is.Empty);
    }

    [TestCase("edge")]
    [TestCase("uptime")]
    [TestCase("scaling")]
    public void Should_show_every_key(string part)
    {
        var environment = JsonNode.Parse(File.ReadAllText(SourceTree.File(SchemaFile.Name)))!["properties"]!["environments"]!["patternProperties"]!.AsObject().Single().Value!;

        Assert.That(KeysOf(environment["properties"]![part]).Distinct().Except(LeftOut).Where(key => !Regex.IsMatch(Environments, $@"\b{key}:")), Is.Empty);
    }

    [Test]
    public void Should_show_every_part_of_observability() => Assert.That(
        new[] { "monitoring", "logs", "tracing", "reboots", "regions", "backup", "notifications" }.Where(key => !Regex.IsMatch(Environments, $@"(?m)^\s+{key}:")), Is.Empty);

    // Where a secret comes from is shown by one of its ways.
    private static IEnumerable<string> KeysOf(JsonNode? node) => node switch
    {
        JsonObject { } known when known["properties"] is JsonObject members && members.ContainsKey("variable") && members.ContainsKey("command") => [],
        JsonObject known => known.SelectMany(member => member.Key == "properties"
            ? member.Value!.AsObject().SelectMany(property => KeysOf(property.Value).Prepend(property.Key))
            : KeysOf(member.Value)),
        JsonArray items => items.SelectMany(KeysOf),
        _ => [],
    };

    [GeneratedRegex("```yaml\n(environments:.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}

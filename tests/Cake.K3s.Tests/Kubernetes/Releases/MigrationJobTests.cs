using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.Tests.Kubernetes.Releases;

public sealed class MigrationJobTests
{
    [Test]
    public void Should_ReadCopiesOfItsOwn_When_ReleaseBringsConfiguration()
    {
        var migration = Prepare(Objects());
        var container = migration.Job.At("spec", "template", "spec").Objects("containers").Single();
        var secret = container.Objects("envFrom").Single().Text("secretRef", "name");
        var map = migration.Job.At("spec", "template", "spec").Objects("volumes").Single().Text("configMap", "name");

        Assert.Multiple(() =>
        {
            Assert.That(secret, Does.StartWith("database-"));
            Assert.That(map, Does.StartWith("settings-"));
            Assert.That(migration.Copies.Select(copy => copy.ObjectName()), Is.EquivalentTo([secret, map]));
            Assert.That(migration.Copies.Select(copy => copy.NamespaceName()), Is.All.EqualTo("shop"));
        });
    }

    [Test]
    public void Should_KeepReference_When_ItsObjectComesFromElsewhere()
    {
        var migration = Prepare([]);

        Assert.That(migration.Copies, Is.Empty);
        Assert.That(
            migration.Job.At("spec", "template", "spec").Objects("containers").Single().Objects("envFrom").Single().Text("secretRef", "name"),
            Is.EqualTo("database"));
    }

    [Test]
    public void Should_HaveSameName_When_NothingThatItDoesChanged() =>
        Assert.That(Prepare([.. Objects(), A.Map("other", "1")]).Key, Is.EqualTo(Prepare(Objects()).Key));

    [Test]
    public void Should_HaveAnotherName_When_ItsConfigurationChanged() =>
        Assert.That(Prepare(Objects("postgres://other")).Key, Is.Not.EqualTo(Prepare(Objects()).Key));

    [Test]
    public void Should_HaveAnotherName_When_ItsImageChanged() =>
        Assert.That(Prepare(Objects(), "api@sha256:2").Key, Is.Not.EqualTo(Prepare(Objects()).Key));

    [Test]
    public void Should_StayWithinLimit_When_NameIsLong() =>
        Assert.That(Prepare(Objects(), name: new string('m', 63)).Key.Name, Has.Length.LessThanOrEqualTo(63));

    [Test]
    public void Should_WaitForItsCopies_When_Created() => Assert.That(Prepare(Objects()).Job.Flag("spec", "suspend"), Is.True);

    [Test]
    public void Should_LeaveManifestsAsTheyAre_When_Prepared()
    {
        var set = Set(Objects(), Job("api@sha256:1", "migrate"));
        var before = set.Migration!.Node.ToJsonString();

        MigrationJob.Of(set, "honeydue", "shop");

        Assert.That(set.Migration.Node.ToJsonString(), Is.EqualTo(before));
    }

    [TestCase("9", "5", "schema version: 4", "9")]
    [TestCase(null, "5", "schema version: 4", "5")]
    [TestCase(null, "schema version: 5\n", "schema version: 4", "5")]
    [TestCase(null, "", "applied 0002; Schema Version: 4", "4")]
    [TestCase(null, "all is well", "all is well", null)]
    public void Should_FindSchemaVersion(string? annotation, string terminationMessage, string logLine, string? expected)
    {
        var job = Job("api", "migrate");
        if (annotation is not null)
        {
            job["metadata"]!["annotations"] = new JsonObject { [MigrationJob.SchemaVersionAnnotation] = annotation };
        }

        var pod = new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["containerStatuses"] = new JsonArray(new JsonObject
                {
                    ["state"] = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = 0, ["message"] = terminationMessage } },
                }),
            },
        };

        Assert.That(SchemaVersion.Of(job, [pod], ["starting", logLine]), Is.EqualTo(expected));
    }

    private static MigrationJob Prepare(IEnumerable<JsonObject> objects, string image = "api@sha256:1", string name = "migrate") =>
        MigrationJob.Of(Set(objects, Job(image, name)), "honeydue", "shop")!;

    private static ManifestSet Set(IEnumerable<JsonObject> objects, JsonObject job)
    {
        var source = new SourceMap("test.yaml");
        return new([.. objects.Select(node => new Manifest(node, source))], new Manifest(job, source));
    }

    private static JsonObject[] Objects(string address = "postgres://db") =>
    [
        A.Map("settings", "1"),
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = "database" },
            ["stringData"] = new JsonObject { ["DATABASE_URL"] = address },
        },
    ];

    private static JsonObject Job(string image, string name) => JsonNode.Parse($$$"""
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"{{{name}}}"},"spec":{"template":{"spec":{
         "volumes":[{"name":"settings","configMap":{"name":"settings"} }],
         "containers":[{"name":"migrate","image":"{{{image}}}","envFrom":[{"secretRef":{"name":"database"} }] }] } } } }
        """)!.AsObject();
}

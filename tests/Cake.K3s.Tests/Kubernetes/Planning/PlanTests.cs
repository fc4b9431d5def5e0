using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Tests.Kubernetes.Planning;

public sealed class PlanTests
{
    private static readonly ApplySet Set = new("shop", "shop");

    private const string Deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec: {replicas: REPLICAS, template: {spec: {containers: [{name: api, image: "r/api@sha256:REPLICAS"}]}}}
        """;

    private const string Secret = "{apiVersion: v1, kind: Secret, metadata: {name: database}, stringData: {url: postgres://u:VALUE@h/d}}";

    private static PlannedObject Planned(string wanted, string? live)
    {
        var desired = DesiredObject.Of(Yaml.Manifest(wanted), "shop", Set);
        return new(desired)
        {
            Change = live is null ? PlannedChange.Create : live == wanted ? PlannedChange.None : PlannedChange.Update,
            Live = live is null ? null : DesiredObject.Of(Yaml.Manifest(live), "shop", Set).ToNode(),
            Foretold = desired.ToNode(),
        };
    }

    private static DeployPlan Plan(params PlannedObject[] objects) => new(Set, [.. objects], [], [], Force: false);

    private static DeployPlan Typical(string password = "new") => Plan(
        Planned(Secret.Replace("VALUE", password), Secret.Replace("VALUE", "old")),
        Planned(Deployment.Replace("REPLICAS", "4"), Deployment.Replace("REPLICAS", "3")),
        Planned("{apiVersion: v1, kind: ConfigMap, metadata: {name: new}}", null)) with
    {
        Prunes = [Yaml.Object("{apiVersion: v1, kind: Service, metadata: {name: old}}")],
    };

    [Test]
    public void Should_show_what_changes()
    {
        Assert.That(PlanText.Lines(Typical()), Is.EqualTo(new[]
        {
            "shop in namespace shop: 1 to make, 2 to change, 1 to delete",
            "~ Secret/database  app.yaml:1:1",
            "    data.url: (secret) changed",
            "~ Deployment/api  app.yaml:1:1",
            "    spec.replicas: 3 → 4",
            "    spec.template.spec.containers[api].image: r/api@sha256:3 → r/api@sha256:4",
            "+ ConfigMap/new  app.yaml:1:1",
            "- Service/old  is no longer in the manifests: deleted once the release is verified",
            "Images:",
            "  Deployment/api api: r/api@sha256:3 → r/api@sha256:4",
        }));
    }

    [Test]
    public void Should_say_which_commits_the_images_are_from_In_every_form()
    {
        var plan = Typical() with
        {
            Commits = new Dictionary<string, string> { ["r/api@sha256:3"] = new('a', 40), ["r/api@sha256:4"] = new string('b', 40) + "+changes" }.ToImmutableDictionary(),
        };

        Assert.Multiple(() =>
        {
            Assert.That(PlanText.Lines(plan).Last(), Is.EqualTo("  Deployment/api api: r/api@sha256:3 → r/api@sha256:4 (commit aaaaaaaaaaaa → bbbbbbbbbbbb+changes)"));
            Assert.That(PlanMarkdown.Write(plan), Does.Contain("| `Deployment/api` api | `r/api@sha256:3` | `r/api@sha256:4` | commit aaaaaaaaaaaa → bbbbbbbbbbbb+changes |"));
            Assert.That(FrozenPlan.Freeze(plan, default).Images.Single(), Has.Property("CommitBefore").EqualTo(new string('a', 40)));
        });
    }

    [Test]
    public void Should_hold_no_secret_in_any_form()
    {
        var base64 = Convert.ToBase64String("postgres://u:new@h/d"u8);
        var plan = Typical();

        foreach (var form in (string[])[string.Join('\n', PlanText.Lines(plan)), PlanMarkdown.Write(plan), FrozenPlan.Freeze(plan, default).Write()])
        {
            Assert.That(form, Does.Not.Contain("postgres://").And.Not.Contain(base64));
        }
    }

    [Test]
    public void Should_hold_when_nothing_changed_since_it_was_frozen()
    {
        var frozen = PlanDocument.Read(FrozenPlan.Freeze(Typical(), default).Write(), "plan.json");

        Assert.That(() => FrozenPlan.Check(frozen, Typical()), Throws.Nothing);
    }

    [Test]
    public void Should_name_a_secret_that_is_another_now()
    {
        var frozen = FrozenPlan.Freeze(Typical(), default);

        Assert.That(
            () => FrozenPlan.Check(frozen, Typical("newer")),
            Throws.TypeOf<K3sException>().With.Property("Details").EqualTo(new[] { "Secret/database: its manifest, an image, a variable or a secret is another" }));
    }

    [Test]
    public void Should_name_an_object_that_drifted()
    {
        var frozen = FrozenPlan.Freeze(Typical(), default);
        var drifted = Typical();
        drifted.Objects[1].Live!["spec"]!["replicas"] = 9;

        Assert.That(
            () => FrozenPlan.Check(frozen, drifted),
            Throws.TypeOf<K3sException>().With.Property("Details").EqualTo(new[] { "Deployment/api was changed in the cluster" }));
    }

    [Test]
    public void Should_not_take_a_change_of_status_for_drift()
    {
        var frozen = FrozenPlan.Freeze(Typical(), default);
        var later = Typical();
        later.Objects[1].Live!["status"] = new JsonObject { ["readyReplicas"] = 3 };
        later.Objects[1].Live!["metadata"]!["resourceVersion"] = "77";

        Assert.That(() => FrozenPlan.Check(frozen, later), Throws.Nothing);
    }

    [Test]
    public void Should_name_what_comes_and_goes()
    {
        var frozen = FrozenPlan.Freeze(Plan(Planned("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", null)), default);
        var now = Plan(Planned("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}", null)) with { Prunes = Typical().Prunes };

        Assert.That(
            () => FrozenPlan.Check(frozen, now),
            Throws.TypeOf<K3sException>().With.Property("Details").EqualTo(new[]
            {
                "ConfigMap/a is no longer in the manifests", "ConfigMap/b was not in the manifests", "Service/old would be deleted too",
            }));
    }

    [Test]
    public void Should_say_that_a_file_is_no_plan()
    {
        Assert.That(() => PlanDocument.Read("hello", "x.json"), Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(2));
    }
}

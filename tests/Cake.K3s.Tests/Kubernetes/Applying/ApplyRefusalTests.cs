using System.Net;
using System.Text;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.Tests.Kubernetes.Applying;

public sealed class ApplyRefusalTests
{
    private const string Conflict = """
        {"kind":"Status","code":409,"reason":"Conflict","message":"Apply failed with 2 conflicts",
         "details":{"causes":[
          {"reason":"FieldManagerConflict","field":".spec.replicas","message":"conflict with \"kubectl\" with subresource \"scale\" using apps/v1"},
          {"reason":"FieldManagerConflict","field":".spec.template.spec.containers[name=\"api\"].image","message":"conflict with \"kubectl-edit\" using apps/v1"}]}}
        """;

    private const string Immutable = """
        {"kind":"Status","code":422,"reason":"Invalid","message":"Deployment.apps \"api\" is invalid: spec.selector: Invalid value: field is immutable",
         "details":{"causes":[{"reason":"FieldValueInvalid","field":"spec.selector","message":"Invalid value: field is immutable"}]}}
        """;

    private static K3sException Explain(HttpStatusCode status, string body)
    {
        var manifest = Yaml.Manifest("\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}");
        var refusal = KubernetesApiException.From("apply", status, Encoding.UTF8.GetBytes(body));
        return ApplyRefusal.Of([(manifest, manifest.Key, refusal)], nothingChanged: true);
    }

    [Test]
    public void Should_say_how_to_find_the_fields_When_one_is_not_in_the_schema()
    {
        var failure = Explain(HttpStatusCode.BadRequest, """{"kind":"Status","code":400,"reason":"BadRequest","message":".spec.replicsa: field not declared in schema"}""");

        Assert.That(failure.NextStep, Does.Contain("kubectl explain deployment"));
    }

    [Test]
    public void Should_name_each_field_with_its_owner_When_there_are_conflicts()
    {
        var failure = Explain(HttpStatusCode.Conflict, Conflict);

        Assert.That(failure.Summary, Is.EqualTo("the cluster refuses Deployment/api; nothing was changed"));
        Assert.That(failure.Details, Is.EqualTo(new[]
        {
            "app.yaml:2:1: Deployment/api: .spec.replicas is owned by \"kubectl\" with subresource \"scale\" using apps/v1",
            "app.yaml:2:1: Deployment/api: .spec.template.spec.containers[name=\"api\"].image is owned by \"kubectl-edit\" using apps/v1",
        }));
        Assert.That(failure.NextStep, Does.Contain("--force-conflicts"));
    }

    [Test]
    public void Should_name_the_ways_out_When_a_field_is_immutable()
    {
        var failure = Explain(HttpStatusCode.UnprocessableEntity, Immutable);

        Assert.That(failure.Details.Single(), Is.EqualTo("app.yaml:2:1: Deployment/api: spec.selector: Invalid value: field is immutable"));
        Assert.That(failure.NextStep, Does.Contain("kubectl delete deployment api -n shop").And.Contain("cake-k3s/replace"));
    }
}

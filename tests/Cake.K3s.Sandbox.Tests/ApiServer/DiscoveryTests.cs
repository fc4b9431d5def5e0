using System.Reflection;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class DiscoveryTests
{
    /// <summary>Kinds of stable versions that a stock server of the version here does not serve.</summary>
    private static readonly string[] NotServed =
    [
        "certificates.k8s.io/v1/ClusterTrustBundle", "certificates.k8s.io/v1/PodCertificateRequest", "resource.k8s.io/v1/DeviceTaintRule",
        "storagemigration.k8s.io/v1/StorageVersionMigration", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding",
    ];

    [Test]
    public void Should_serve_every_stable_kind_of_the_client_library_When_it_is_one_that_can_be_listed()
    {
        var served = new ResourceCatalog().Current.All.Select(resource => $"{resource.Version}/{resource.Kind}").ToHashSet();
        var missing = typeof(V1Pod).Assembly.GetTypes()
            .Select(type => type.GetCustomAttribute<KubernetesEntityAttribute>())
            .OfType<KubernetesEntityAttribute>()
            .Where(entity => entity.ApiVersion is "v1" or "v2" && entity.PluralName is { Length: > 0 } && !entity.Kind.EndsWith("List", StringComparison.Ordinal))
            .Select(entity => $"{new GroupVersion(entity.Group, entity.ApiVersion)}/{entity.Kind}")
            .Distinct()
            .Except(served)
            .Except(NotServed);

        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void Should_have_a_shape_for_every_resource_When_its_schema_is_asked_for()
        => Assert.That(new ResourceCatalog().Current.All.Where(resource => resource.Schema.Object!.Fields.Count == 0), Is.Empty);

    [Test]
    public async Task Should_tell_the_same_in_old_and_new_documents_When_a_client_discovers()
    {
        await using var api = await TestApi.StartAsync();
        var groups = await api.GetAsync("/apis");
        var aggregated = await api.GetAsync("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
        var apps = await api.GetAsync("/apis/apps/v1");

        Assert.Multiple(() =>
        {
            Assert.That(aggregated.Json.Objects("items").Select(item => item.Name()), Is.EqualTo(groups.Json.Objects("groups").Select(group => group.Text("name"))));
            Assert.That(aggregated["kind"], Is.EqualTo("APIGroupDiscoveryList"));
            Assert.That(apps.Json.Objects("resources").Select(resource => resource.Text("name")), Does.Contain("deployments").And.Contain("deployments/scale"));
        });
    }

    [Test]
    public async Task Should_describe_merge_keys_and_patches_When_kubectl_reads_the_schema()
    {
        await using var api = await TestApi.StartAsync();
        var document = await api.GetAsync("/openapi/v3/apis/apps/v1");
        var containers = document.Json.Object("components", "schemas").Object("io.k8s.api.v1.PodSpec", "properties").Object("containers");
        var patch = document.Json.Object("paths").Object("/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch");

        Assert.Multiple(() =>
        {
            Assert.That(containers.Text("x-kubernetes-patch-merge-key"), Is.EqualTo("name"));
            Assert.That(containers.Text("x-kubernetes-patch-strategy"), Is.EqualTo("merge"));
            Assert.That(containers.Text("description"), Does.StartWith("List of containers belonging to the pod."));
            Assert.That(patch.Objects("parameters").Select(parameter => parameter.Text("name")), Does.Contain("fieldValidation").And.Contain("dryRun"));
        });
    }
}

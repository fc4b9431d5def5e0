using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Conformance;

internal sealed class AdmissionTests : ClusterTest
{
    private string _policy = "";

    [TearDown]
    public async Task RemovePolicyAsync()
    {
        if (_policy.Length > 0)
        {
            await KubectlAsync("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", _policy, "--ignore-not-found");
        }
    }

    [Test]
    public async Task Should_say_policy_binding_and_message_When_a_policy_denies_an_object()
    {
        await HoldAsync("""
              validations:
              - expression: >-
                  object.spec.template.spec.containers.all(c, c.image.matches('@sha256:[a-f0-9]{64}$') && variables.registries.exists(r, c.image.startsWith(r)))
                message: images are pinned by digest and come from registry.example
              variables:
              - name: registries
                expression: "['registry.example/', 'mirror.example/']"
            """);

        var refused = await RefusedAsync(Manifests.Deployment("web", "registry.example/app:1"));
        var pinned = await TryKubectlAsync(Manifests.Deployment("web", $"mirror.example/app@sha256:{new string('a', 64)}"), "apply", "--server-side", "-f", "-");

        Assert.Multiple(() =>
        {
            Assert.That(refused, Does.Contain(
                $"The deployments \"web\" is invalid: : ValidatingAdmissionPolicy '{_policy}' with binding '{_policy}' denied request: images are pinned by digest and come from registry.example"));
            Assert.That(pinned.ExitCode, Is.Zero, pinned.StandardError);
        });
    }

    [Test]
    public async Task Should_say_what_failed_When_an_expression_cannot_be_evaluated()
    {
        await HoldAsync("""
              validations:
              - expression: object.metadata.labels.team == 'shop'
            """);

        Assert.That(await RefusedAsync(Manifests.Deployment("web")), Does.Contain("expression 'object.metadata.labels.team == 'shop'' resulted in error: no such key: labels"));
    }

    [Test]
    public async Task Should_answer_422_with_the_reason_Invalid_When_a_client_asks_over_the_API()
    {
        await HoldAsync("""
              validations:
              - expression: "!has(object.spec.replicas) || object.spec.replicas <= 2"
                messageExpression: "'%d replicas are too many'.format([object.spec.replicas])"
            """);
        await RefusedAsync(Manifests.Deployment("web", replicas: 3));

        var refused = Assert.ThrowsAsync<HttpOperationException>(() => Client.AppsV1.CreateNamespacedDeploymentAsync(Deployment(7), Namespace))!;
        var status = KubernetesJson.Deserialize<V1Status>(refused.Response.Content);

        Assert.Multiple(() =>
        {
            Assert.That(((int)refused.Response.StatusCode, status.Reason, status.Details.Kind), Is.EqualTo((422, "Invalid", "deployments")));
            Assert.That(status.Message, Is.EqualTo($"deployments.apps \"many\" is forbidden: ValidatingAdmissionPolicy '{_policy}' with binding '{_policy}' denied request: 7 replicas are too many"));
        });
    }

    [Test]
    public async Task Should_refuse_a_policy_When_its_expression_cannot_be_compiled()
    {
        var result = await TryKubectlAsync(Policy("never", """
              validations:
              - expression: objekt.spec.replicas == 1
            """), "apply", "--dry-run=server", "-f", "-");

        Assert.That(result.StandardError, Does.Contain("spec.validations[0].expression: Invalid value: \"objekt.spec.replicas == 1\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'objekt'"));
    }

    private async Task HoldAsync(string rules)
    {
        _policy = Namespace + "-policy";
        await KubectlWithAsync(Policy(_policy, rules), "apply", "-f", "-");
        await KubectlWithAsync($$"""
            apiVersion: admissionregistration.k8s.io/v1
            kind: ValidatingAdmissionPolicyBinding
            metadata: {name: {{_policy}}}
            spec:
              policyName: {{_policy}}
              validationActions: [Deny]
              matchResources:
                namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{Namespace}} } }
            """, "apply", "-f", "-");
    }

    private static string Policy(string name, string rules) => $$"""
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicy
        metadata: {name: {{name}}}
        spec:
          matchConstraints:
            resourceRules:
            - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
        {{rules}}
        """;

    /// <summary>What kubectl says of a manifest that is refused, once the cluster has taken notice of the policy.</summary>
    private async Task<string> RefusedAsync(string manifest)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var result = await TryKubectlAsync(manifest, "apply", "--server-side", "--dry-run=server", "-f", "-");
            if (result.ExitCode != 0 || timeout.IsCancellationRequested)
            {
                return result.StandardError;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }

    private static V1Deployment Deployment(int replicas) => new()
    {
        Metadata = new V1ObjectMeta { Name = "many" },
        Spec = new V1DeploymentSpec
        {
            Replicas = replicas,
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "many" } },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "many" } },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "app", Image = "example.invalid/app:1" }] },
            },
        },
    };
}

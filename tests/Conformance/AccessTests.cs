using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Conformance;

internal sealed class AccessTests : ClusterTest
{
    [Test]
    public async Task Should_allow_that_and_no_more_When_a_service_account_has_a_role()
    {
        await GrantAsync();
        var token = await Client.CoreV1.CreateNamespacedServiceAccountTokenAsync(new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [] } }, "reader", Namespace);
        using var client = new Kubernetes(new KubernetesClientConfiguration { Host = Client.BaseUri.ToString(), AccessToken = token.Status.Token, SkipTlsVerify = true });

        var there = await client.CoreV1.ListNamespacedConfigMapAsync(Namespace);
        var elsewhere = Assert.ThrowsAsync<HttpOperationException>(() => client.CoreV1.ListNamespacedConfigMapAsync("default"))!;
        var status = KubernetesJson.Deserialize<V1Status>(elsewhere.Response.Content);

        Assert.Multiple(() =>
        {
            Assert.That(there.Items.Select(item => item.Name()), Does.Contain("kube-root-ca.crt"));
            Assert.That((status.Code, status.Reason), Is.EqualTo((403, "Forbidden")));
            Assert.That(status.Message, Is.EqualTo(
                $"configmaps is forbidden: User \"system:serviceaccount:{Namespace}:reader\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\""));
        });
    }

    [TestCase("yes", "get", "configmaps")]
    [TestCase("yes", "get", "pods", "--subresource=log")]
    [TestCase("yes", "get", "secrets/one")]
    [TestCase("no", "get", "secrets")]
    [TestCase("no", "create", "configmaps")]
    [TestCase("no", "get", "pods")]
    public async Task Should_say_what_one_may_When_asked(string answer, params string[] question)
    {
        await GrantAsync();

        var result = await TryKubectlAsync(null, ["auth", "can-i", .. question, As]);

        Assert.That(result.StandardOutput.Trim(), Is.EqualTo(answer));
    }

    [TestCase("configmaps is forbidden: User \"NAME\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"SPACE\"", "create", "configmap", "x")]
    [TestCase("configmaps \"kube-root-ca.crt\" is forbidden: User \"NAME\" cannot delete resource \"configmaps\" in API group \"\" in the namespace \"SPACE\"", "delete", "configmap", "kube-root-ca.crt")]
    [TestCase("nodes is forbidden: User \"NAME\" cannot list resource \"nodes\" in API group \"\" at the cluster scope", "get", "nodes")]
    [TestCase("deployments.apps is forbidden: User \"NAME\" cannot list resource \"deployments\" in API group \"apps\" in the namespace \"SPACE\"", "get", "deployments")]
    public async Task Should_say_who_cannot_do_what_where_When_it_is_forbidden(string message, params string[] command)
    {
        await GrantAsync();

        var result = await TryKubectlAsync(null, [.. command, As]);

        Assert.That(result.StandardError, Does.Contain(message.Replace("NAME", As["--as=".Length..]).Replace("SPACE", Namespace)));
    }

    [Test]
    public async Task Should_not_give_away_what_one_does_not_have_When_one_may_write_roles()
    {
        await GrantAsync();
        await KubectlAsync("create", "rolebinding", "administers", "--clusterrole=admin", $"--serviceaccount={Namespace}:reader");

        var result = await TryKubectlAsync(null, "create", "role", "more", "--verb=get,delete", "--resource=nodes", As);

        Assert.That(result.StandardError, Does.Contain("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"delete\"]}"));
    }

    private string As => $"--as=system:serviceaccount:{Namespace}:reader";

    private Task<string> GrantAsync() => KubectlWithAsync($$"""
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: reader}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: reads}
        rules:
        - {apiGroups: [""], resources: [configmaps, pods/log], verbs: [get, list]}
        - {apiGroups: [""], resources: [secrets], resourceNames: [one], verbs: [get]}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: reads}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
        subjects: [{kind: ServiceAccount, name: reader, namespace: "{{Namespace}}" }]
        """, "apply", "-f", "-");
}

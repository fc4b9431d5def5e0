namespace Conformance;

internal sealed class QuotaTests : ClusterTest
{
    [Test]
    public async Task Should_refuse_and_keep_count_When_a_quota_is_used_up()
    {
        await KubectlWithAsync("""
            apiVersion: v1
            kind: ResourceQuota
            metadata: {name: team}
            spec: {hard: {pods: "2", requests.cpu: "1", limits.memory: 1Gi, count/deployments.apps: "1"}}
            """, "apply", "-f", "-");
        await UntilUsedAsync("""{"count/deployments.apps":"0","limits.memory":"0","pods":"0","requests.cpu":"0"}""");
        await KubectlWithAsync(Pod("fits", "{requests: {cpu: 100m}, limits: {memory: 100Mi}}"), "apply", "-f", "-");
        await KubectlWithAsync(Manifests.Deployment("one"), "apply", "-f", "-");

        var more = await TryKubectlAsync(Pod("more", "{requests: {cpu: 2}, limits: {memory: 100Mi}}"), "apply", "-f", "-");
        var none = await TryKubectlAsync(Pod("none", "{}"), "apply", "-f", "-");
        var second = await TryKubectlAsync(Manifests.Deployment("two"), "apply", "-f", "-");

        Assert.Multiple(() =>
        {
            Assert.That(more.StandardError, Does.Contain("pods \"more\" is forbidden: exceeded quota: team, requested: requests.cpu=4, used: requests.cpu=200m, limited: requests.cpu=1"));
            Assert.That(none.StandardError, Does.Contain("pods \"none\" is forbidden: failed quota: team: must specify limits.memory for: a,b; requests.cpu for: a,b"));
            Assert.That(second.StandardError, Does.Contain("deployments.apps \"two\" is forbidden: exceeded quota: team, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1"));
        });
        await UntilUsedAsync("""{"count/deployments.apps":"1","limits.memory":"200Mi","pods":"1","requests.cpu":"200m"}""");
        await KubectlAsync("delete", "pod", "fits", "--force", "--grace-period=0");
        await UntilUsedAsync("""{"count/deployments.apps":"1","limits.memory":"0","pods":"0","requests.cpu":"0"}""");
    }

    private async Task UntilUsedAsync(string used)
    {
        var lines = await KubectlUntilAsync(lines => lines.LastOrDefault() == used, null, "get", "resourcequota", "team", "--watch", "-o", "jsonpath={.status.used}{\"\\n\"}");
        Assert.That(lines[^1], Is.EqualTo(used));
    }

    /// <summary>A pod that no node can take.</summary>
    private static string Pod(string name, string resources) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: "{{name}}" }
        spec:
          schedulerName: nobody
          containers:
          - {name: a, image: "example.invalid/app:1", resources: {{resources}} }
          - {name: b, image: "example.invalid/app:1", resources: {{resources}} }
        """;
}

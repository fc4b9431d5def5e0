namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class QuotaTests
{
    private const string Quotas = "/api/v1/namespaces/default/resourcequotas";

    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_keep_what_is_used_When_objects_come_and_go()
    {
        await LimitAsync("\"pods\":\"3\",\"requests.cpu\":\"1\",\"limits.memory\":\"1Gi\",\"count/deployments.apps\":\"2\"");
        await _api.EventuallyAsync(Quotas + "/team", quota => quota["status.used.pods"] == "0");
        await _api.PostAsync(Samples.Pods, Pod("a", "100m", "100Mi"));
        await _api.PostAsync(Samples.Pods, Pod("b", "200m", "100Mi"));
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));

        var full = await _api.EventuallyAsync(Quotas + "/team", quota => quota["status.used.pods"] == "2" && quota.Json["status"]!["used"]!["count/deployments.apps"]!.ToString() == "1");
        await _api.DeleteAsync(Samples.Pods + "/a");
        var less = await _api.EventuallyAsync(Quotas + "/team", quota => quota["status.used.pods"] == "1");

        Assert.Multiple(() =>
        {
            Assert.That(full["status.hard.pods"], Is.EqualTo("3"));
            Assert.That(full.Json["status"]!["used"]!["requests.cpu"]!.ToString(), Is.EqualTo("300m"));
            Assert.That(full.Json["status"]!["used"]!["limits.memory"]!.ToString(), Is.EqualTo("200Mi"));
            Assert.That(less.Json["status"]!["used"]!["requests.cpu"]!.ToString(), Is.EqualTo("200m"));
        });
    }

    [TestCase("2", "100Mi", "exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=100m, limited: requests.cpu=1")]
    [TestCase("2", "2Gi", "exceeded quota: team, requested: limits.memory=2Gi,requests.cpu=2, used: limits.memory=100Mi,requests.cpu=100m, limited: limits.memory=1Gi,requests.cpu=1")]
    [TestCase(null, null, "failed quota: team: must specify limits.memory for: main; requests.cpu for: main")]
    public async Task Should_refuse_in_the_words_of_the_api_When_a_pod_would_exceed_it(string? cpu, string? memory, string message)
    {
        await LimitAsync("\"requests.cpu\":\"1\",\"limits.memory\":\"1Gi\"");
        await _api.PostAsync(Samples.Pods, Pod("a", "100m", "100Mi"));

        var answer = await _api.PostAsync(Samples.Pods, cpu is null ? Samples.Pod("b") : Pod("b", cpu, memory!));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((403, $"pods \"b\" is forbidden: {message}")));
    }

    [Test]
    public async Task Should_count_only_some_pods_When_it_has_scopes()
    {
        await LimitAsync("\"pods\":\"1\"", ",\"scopes\":[\"BestEffort\"]");
        var with = await _api.PostAsync(Samples.Pods, Pod("a", "1m", "1Mi"));
        var first = await _api.PostAsync(Samples.Pods, Samples.Pod("b"));
        var second = await _api.PostAsync(Samples.Pods, Samples.Pod("c"));

        Assert.That((with.Code, first.Code, second.Code), Is.EqualTo((201, 201, 403)));
    }

    private async Task LimitAsync(string hard, string more = "")
    {
        var made = await _api.PostAsync(Quotas, $"{{\"metadata\":{{\"name\":\"team\"}},\"spec\":{{\"hard\":{{{hard}}}{more}}}}}");
        Assert.That(made.Code, Is.EqualTo(201), made.Message);
    }

    private static string Pod(string name, string cpu, string memory)
        => Samples.Pod(name).Replace("\"image\":", $"\"resources\":{{\"requests\":{{\"cpu\":\"{cpu}\"}},\"limits\":{{\"memory\":\"{memory}\"}}}},\"image\":", StringComparison.Ordinal);
}

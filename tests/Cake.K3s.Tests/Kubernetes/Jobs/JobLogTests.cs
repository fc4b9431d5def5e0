using System.Net;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Kubernetes.Jobs;

public sealed class JobLogTests
{
    private const string Pods = "/api/v1/namespaces/shop/pods";

    [Test]
    public async Task Should_ReadWhatWasLogged_When_TheJobEndedBeforeItsPodsWereSeen()
    {
        var fake = new FakeApi();
        fake.Always("GET", Pods, """
            {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [
             {"metadata": {"name": "migrate-1", "namespace": "shop", "uid": "u"},
              "status": {"containerStatuses": [{"name": "main", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}]}}]}
            """);
        fake.Always("GET", $"{Pods}/migrate-1/log", () => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("schema version: 2\n") });
        using var api = fake.Open();
        var log = new JobLog(new RecordingReporter(), "migrate");

        await log.FollowAsync(api, new(new("batch", "v1", "Job"), "shop", "migrate"), finished: new(canceled: true), default);

        Assert.That(log.Lines, Is.EqualTo(["schema version: 2"]));
    }
}

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Kubernetes.Api;

public sealed class ClusterApiTests
{
    private const string Maps = "/api/v1/namespaces/shop/configmaps";
    private static readonly GroupVersionKind MapType = new("", "v1", "ConfigMap");
    private static readonly ObjectKey MapKey = new(MapType, null, "settings");

    private static JsonObject Map(string name = "settings", string version = "1", string value = "1") => JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","namespace":"shop","uid":"u-{{{name}}}","resourceVersion":"{{{version}}}"},
         "data":{"value":"{{{value}}}"},"unknownField":{"kept":true}}
        """)!.AsObject();

    [Test]
    public async Task Should_keep_fields_it_does_not_know_When_an_object_is_read()
    {
        var fake = new FakeApi();
        fake.Always("GET", $"{Maps}/settings", Map().ToJsonString());
        using var api = fake.Open();

        var read = await api.GetAsync(MapKey, default);

        Assert.That(read.Flag("unknownField", "kept"), Is.True);
    }

    [Test]
    public async Task Should_return_null_When_the_object_is_not_there()
    {
        using var api = new FakeApi().Open();

        Assert.That(await api.GetAsync(MapKey, default), Is.Null);
    }

    [TestCase(429)]
    [TestCase(500)]
    [TestCase(502)]
    [TestCase(503)]
    [TestCase(504)]
    public async Task Should_try_again_and_count_it_When_the_answer_is(int status)
    {
        var fake = new FakeApi();
        fake.Once("GET", $"{Maps}/settings", "busy", (HttpStatusCode)status);
        fake.Always("GET", $"{Maps}/settings", Map().ToJsonString());
        using var api = fake.Open();

        Assert.That(await api.GetAsync(MapKey, default), Is.Not.Null);
        Assert.That(api.Retries.ToString(), Is.EqualTo($"1 request was repeated ({status}: 1)"));
    }

    [Test]
    public async Task Should_wait_as_long_as_it_is_told_When_the_answer_says_RetryAfter()
    {
        var time = new FakeTimeProvider();
        var fake = new FakeApi();
        fake.Once("GET", $"{Maps}/settings", "busy", HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(7));
        fake.Always("GET", $"{Maps}/settings", Map().ToJsonString());
        using var api = fake.Open(time);

        var reading = api.GetAsync(MapKey, default);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.That(fake.Calls.Count(), Is.EqualTo(1));
        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That(await reading, Is.Not.Null);
    }

    [Test]
    public async Task Should_cut_a_stalled_attempt_and_try_again()
    {
        var time = new FakeTimeProvider();
        var fake = new FakeApi();
        fake.Once("GET", $"{Maps}/settings", () => new(HttpStatusCode.OK) { Content = new StalledContent() });
        fake.Always("GET", $"{Maps}/settings", Map().ToJsonString());
        using var api = fake.Open(time);

        var reading = api.GetAsync(MapKey, default);
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.That(await reading, Is.Not.Null);
        Assert.That(api.Retries.ToString(), Does.Contain("no answer: 1"));
    }

    [Test]
    public void Should_say_why_When_no_attempt_brings_an_answer()
    {
        var fake = new FakeApi();
        for (var i = 0; i < 4; i++)
        {
            fake.Once("GET", $"{Maps}/settings", () => throw new HttpRequestException(HttpRequestError.Unknown, "boom", new IOException("reset by peer")));
        }

        using var api = fake.Open();

        Assert.That(
            () => api.GetAsync(MapKey, default),
            Throws.TypeOf<ClusterUnreachableException>().With.Property("Summary").EqualTo("read ConfigMap/settings: the Kubernetes API at http://fake cannot be reached: reset by peer"));
    }

    [Test]
    public void Should_carry_reason_and_fields_When_the_api_refuses()
    {
        var fake = new FakeApi();
        fake.Always(
            "PATCH",
            $"{Maps}/settings",
            """
            {"kind":"Status","code":422,"reason":"Invalid","message":"ConfigMap is invalid",
             "details":{"causes":[{"reason":"FieldValueInvalid","field":"data.a","message":"too long"}]}}
            """,
            HttpStatusCode.UnprocessableEntity);
        using var api = fake.Open();

        var refusal = Assert.ThrowsAsync<KubernetesApiException>(() => api.ApplyAsync(Map(), default));

        Assert.Multiple(() =>
        {
            Assert.That(refusal!.Summary, Is.EqualTo("apply ConfigMap/settings: ConfigMap is invalid"));
            Assert.That(refusal.Reason, Is.EqualTo("Invalid"));
            Assert.That(refusal.Causes, Is.EqualTo(new[] { new StatusCause("FieldValueInvalid", "data.a", "too long") }));
        });
    }

    [Test]
    public async Task Should_apply_as_its_own_field_manager()
    {
        var fake = new FakeApi();
        fake.Always("PATCH", $"{Maps}/settings", Map().ToJsonString());
        using var api = fake.Open();

        await api.ApplyAsync(Map(), default, new() { Force = true, DryRun = true });

        Assert.That(
            fake.Calls.Single().PathAndQuery,
            Is.EqualTo($"{Maps}/settings?fieldManager=cake-k3s&dryRun=All&force=true&fieldValidation=Strict"));
    }

    [Test]
    public async Task Should_take_the_object_as_made_When_the_first_answer_was_lost()
    {
        var fake = new FakeApi();
        fake.Once("POST", Maps, () => throw new HttpRequestException("reset", new IOException()));
        fake.Once("POST", Maps, FakeApi.Status(409, "AlreadyExists", "there"), HttpStatusCode.Conflict);
        fake.Always("GET", $"{Maps}/settings", Map(version: "9").ToJsonString());
        using var api = fake.Open();

        Assert.That((await api.CreateAsync(Map(), default)).ResourceVersion(), Is.EqualTo("9"));
    }

    [Test]
    public void Should_say_that_the_object_exists_When_it_is_anothers()
    {
        var fake = new FakeApi();
        fake.Once("POST", Maps, () => throw new HttpRequestException("reset", new IOException()));
        fake.Once("POST", Maps, FakeApi.Status(409, "AlreadyExists", "there"), HttpStatusCode.Conflict);
        fake.Always("GET", $"{Maps}/settings", Map(value: "of another").ToJsonString());
        using var api = fake.Open();

        Assert.That(() => api.CreateAsync(Map(), default), Throws.TypeOf<KubernetesApiException>().With.Property("IsAlreadyExists").True);
    }

    [Test]
    public void Should_send_a_json_patch_once_When_its_answer_is_lost()
    {
        var fake = new FakeApi();
        fake.Once("PATCH", $"{Maps}/settings", () => throw new HttpRequestException("reset", new IOException()));
        using var api = fake.Open();

        Assert.That(() => api.PatchAsync(MapKey, PatchType.Json, new JsonArray(), default), Throws.TypeOf<ClusterUnreachableException>());
        Assert.That(fake.Calls.Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Should_read_all_parts_of_a_list()
    {
        var fake = new FakeApi();
        fake.Once("GET", Maps, """{"metadata":{"resourceVersion":"5","continue":"next"},"items":[{"metadata":{"name":"a"}}]}""");
        fake.Once("GET", Maps, """{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"b"}}]}""");
        using var api = fake.Open();

        var list = await api.ListAsync(MapType, "shop", new() { LabelSelector = "app=x" }, default);

        Assert.That(list.Items.Select(item => $"{item.Text("kind")}/{item.ObjectName()}"), Is.EqualTo(new[] { "ConfigMap/a", "ConfigMap/b" }));
        Assert.That(fake.Calls.Last().PathAndQuery, Is.EqualTo($"{Maps}?labelSelector=app%3Dx&limit=500&continue=next"));
    }

    [Test]
    public async Task Should_resume_after_a_cut_and_list_again_When_the_api_forgot()
    {
        var fake = new FakeApi();
        fake.Once("GET", Maps, List("1", Map("a", "1")));
        fake.Once("GET", Maps, Event("ADDED", Map("b", "2")) + """{"type":"MODIF""");
        fake.Once("GET", Maps, Event("MODIFIED", Map("b", "3")));
        fake.Once("GET", Maps, """{"type":"ERROR","object":{"kind":"Status","code":410}}""");
        fake.Once("GET", Maps, List("7", Map("b", "3"), Map("c", "6")));
        using var api = fake.Open();

        var seen = new List<string>();
        await foreach (var change in api.WatchAsync(MapType, "shop", null, default))
        {
            seen.Add($"{change.Type} {change.Object.ObjectName()}".Trim());
            if (seen.Count == 6)
            {
                break;
            }
        }

        Assert.That(seen, Is.EqualTo(new[] { "Added a", "Synced", "Added b", "Modified b", "Deleted a", "Added c" }));
        Assert.That(fake.Calls.Select(call => call.PathAndQuery).ElementAt(2), Does.EndWith("resourceVersion=2"));
    }

    [Test]
    public async Task Should_go_on_with_a_followed_log_without_repeating_a_line_When_it_is_cut()
    {
        const string Log = "/api/v1/namespaces/shop/pods/api-0/log";
        var fake = new FakeApi();
        fake.Once("GET", Log, () => new(HttpStatusCode.OK) { Content = new CutContent("2026-01-01T00:00:01.000000000Z one\n2026-01-01T00:00:02.000000000Z two\n") });
        fake.Once("GET", Log, "2026-01-01T00:00:02.000000000Z two\n2026-01-01T00:00:03.000000000Z three\n");
        using var api = fake.Open();

        var lines = new List<string>();
        await foreach (var line in api.LogsAsync("shop", "api-0", new() { Follow = true }, default))
        {
            lines.Add(line);
        }

        Assert.That(lines, Is.EqualTo(new[] { "one", "two", "three" }));
    }

    [Test]
    public void Should_name_the_versions_it_knows_When_a_type_is_unknown()
    {
        using var api = new FakeApi().Open();

        Assert.That(
            () => api.GetAsync(new(new("apps", "v1beta1", "Deployment"), null, "x"), default),
            Throws.TypeOf<K3sException>().With.Message.Contains("knows no Deployment of apps/v1beta1").And.Message.Contains("apps/v1: use that"));
    }

    [Test]
    public void Should_read_the_types_in_two_requests_When_the_server_aggregates()
    {
        var aggregated = JsonNode.Parse("""
            {"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[
             {"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","verbs":["get"],
              "subresources":[{"subresource":"scale"}]}]}]}]}
            """)!.AsObject();

        var resource = ApiDiscovery.ParseAggregated(aggregated).Single();

        Assert.That(resource.Path("shop", "api", "scale"), Is.EqualTo("apis/apps/v1/namespaces/shop/deployments/api/scale"));
    }

    private static string List(string version, params JsonNode[] items) =>
        new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = version }, ["items"] = new JsonArray(items) }.ToJsonString();

    private static string Event(string type, JsonObject node) =>
        new JsonObject { ["type"] = type, ["object"] = node }.ToJsonString() + "\n";

    private sealed class StalledContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.Delay(Timeout.Infinite);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            Task.Delay(Timeout.Infinite, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class CutContent(string text) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new CutStream(Encoding.UTF8.GetBytes(text)));

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private sealed class CutStream(byte[] bytes) : MemoryStream(bytes)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
                await base.ReadAsync(buffer, cancellationToken) is > 0 and var count ? count : throw new IOException("cut");
        }
    }
}

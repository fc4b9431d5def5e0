using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class WatchTests
{
    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_tell_of_every_change_since_a_version_When_a_watch_resumes()
    {
        var first = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        await _api.PatchAsync(Samples.ConfigMaps + "/a", """{"data":{"a":"2"}}""");
        await _api.DeleteAsync(Samples.ConfigMaps + "/a");
        await using var watch = await OpenAsync($"resourceVersion={first.Version}&fieldSelector=metadata.name=a");

        Assert.Multiple(async () =>
        {
            Assert.That(Text(await watch.NextAsync()), Is.EqualTo("MODIFIED a 2"));
            Assert.That(Text(await watch.NextAsync()), Is.EqualTo("DELETED a 2"));
        });
    }

    [Test]
    public async Task Should_start_with_what_is_there_When_a_watch_names_no_version()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        await using var watch = await OpenAsync("");

        Assert.That(Text(await watch.NextAsync()), Is.EqualTo("ADDED a 1"));
    }

    [Test]
    public async Task Should_mark_the_end_of_the_beginning_When_initial_events_are_asked_for()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        await using var watch = await OpenAsync("sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        await watch.NextAsync();
        var bookmark = await watch.NextAsync();

        Assert.Multiple(() =>
        {
            Assert.That(bookmark.Text("type"), Is.EqualTo("BOOKMARK"));
            Assert.That(bookmark.Object("object", "metadata").Map("annotations")["k8s.io/initial-events-end"], Is.EqualTo("true"));
        });
    }

    [Test]
    public async Task Should_say_deleted_When_an_object_leaves_the_selection()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a", metadata: ""","labels":{"x":"1"}"""));
        await using var watch = await OpenAsync("labelSelector=x=1");
        await watch.NextAsync();
        await _api.PatchAsync(Samples.ConfigMaps + "/a", """{"metadata":{"labels":{"x":"2"}}}""");
        await _api.PatchAsync(Samples.ConfigMaps + "/a", """{"metadata":{"labels":{"x":"1"}}}""");

        Assert.Multiple(async () =>
        {
            Assert.That(Text(await watch.NextAsync()), Is.EqualTo("DELETED a 1"));
            Assert.That(Text(await watch.NextAsync()), Is.EqualTo("ADDED a 1"));
        });
    }

    [Test]
    public async Task Should_say_gone_When_the_version_is_older_than_what_is_remembered()
    {
        var created = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        for (var at = 0; at < 2100; at++)
        {
            await _api.PatchAsync(Samples.ConfigMaps + "/a", $$$"""{"data":{"a":"{{{at}}}"}}""");
        }

        await using var watch = await OpenAsync("resourceVersion=" + created.Version);
        var error = await watch.NextAsync();

        Assert.That((error.Text("type"), error.Object("object").Integer("code"), error.Object("object").Text("reason")), Is.EqualTo(("ERROR", 410L, "Expired")));
    }

    [Test]
    public async Task Should_end_When_the_time_that_was_asked_for_is_up()
    {
        await using var watch = await OpenAsync("timeoutSeconds=1&resourceVersion=1&fieldSelector=metadata.name=none");

        Assert.That(async () => await watch.ReadAsync(), Is.Null);
    }

    [Test]
    public async Task Should_feed_the_client_library_When_it_watches()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var seen = new List<string>();
        var list = await _api.Kubernetes.CoreV1.ListNamespacedConfigMapAsync("default", cancellationToken: timeout.Token);
        var watching = Task.Run(async () =>
        {
            await foreach (var (type, item) in _api.Kubernetes.CoreV1.WatchListNamespacedConfigMapAsync("default", resourceVersion: list.ResourceVersion(), cancellationToken: timeout.Token))
            {
                seen.Add($"{type} {item.Name()}");
                if (seen.Count == 2)
                {
                    return;
                }
            }
        }, timeout.Token);
        await _api.Kubernetes.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "a" } }, "default", cancellationToken: timeout.Token);
        await _api.Kubernetes.CoreV1.DeleteNamespacedConfigMapAsync("a", "default", cancellationToken: timeout.Token);
        await watching;

        Assert.That(seen, Is.EqualTo((string[])["Added a", "Deleted a"]));
    }

    private static string Text(JsonObject change)
        => $"{change.Text("type")} {change.Object("object", "metadata").Text("name")} {change.Object("object", "data").Text("a")}";

    private async Task<Watch> OpenAsync(string query)
    {
        var response = await _api.Http.GetAsync(new Uri($"{Samples.ConfigMaps}?watch=true&{query}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        return new Watch(response, new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8));
    }

    private sealed class Watch(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
    {
        public async Task<JsonObject> NextAsync() => await ReadAsync() ?? throw new InvalidOperationException("the watch has ended");

        public async Task<JsonObject?> ReadAsync()
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            return await reader.ReadLineAsync(timeout.Token) is { } line ? JsonBody.ReadObject(Encoding.UTF8.GetBytes(line)) : null;
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

using System.Net;
using System.Text;
using Cake.K3s.Edge.Hetzner;
using Cake.K3s.Settings;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Edge.Hetzner;

public sealed class HetznerClientTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56)) { AutoAdvanceAmount = TimeSpan.Zero };
    private HetznerStandIn _api = null!;
    private HetznerClient _client = null!;

    [SetUp]
    public void Start()
    {
        _api = new HetznerStandIn();
        _client = new HetznerClient(new HttpClient(_api), new Secret(HetznerStandIn.Token), _time);
        foreach (var number in Enumerable.Range(1, 5))
        {
            _api.AddServer($"node-{number}", $"192.0.2.{number}");
        }
    }

    [TearDown]
    public void Stop() => _api.Dispose();

    [Test]
    public async Task Should_read_every_page_When_servers_are_listed() =>
        Assert.That((await _client.ServersAsync(default)).Select(server => (server.Name, server.PublicAddress)), Is.EqualTo(Enumerable.Range(1, 5).Select(number => ($"node-{number}", $"192.0.2.{number}"))));

    [Test]
    public async Task Should_wait_for_the_action_When_a_server_is_attached_and_detached()
    {
        var network = await MakeAsync();
        var server = (await _client.ServersAsync(default))[0];

        await InTimeAsync(_client.AttachAsync(server.Id, network.Id, default));
        Assert.That(_api.Requests.Count(request => request.StartsWith("GET /v1/actions/", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That((await _client.NetworkAsync("k3s", default))!.Servers, Is.EqualTo(new[] { server.Id }));
        Assert.That((await _client.ServersAsync(default))[0].Private[network.Id], Is.EqualTo("10.0.0.2"));

        await InTimeAsync(_client.AttachAsync(server.Id, network.Id, default));
        await InTimeAsync(_client.DetachAsync(server.Id, network.Id, default));
        await InTimeAsync(_client.DetachAsync(server.Id, network.Id, default));
        await _client.DeleteNetworkAsync(network.Id, default);
        await _client.DeleteNetworkAsync(network.Id, default);
        Assert.That(await _client.NetworkAsync("k3s", default), Is.Null);
    }

    [Test]
    public async Task Should_say_so_When_the_action_fails()
    {
        var network = await MakeAsync();
        _api.ActionsFail = true;

        Assert.That(
            () => InTimeAsync(_client.AttachAsync((long)_api.Servers[0]["id"]!, network.Id, default)),
            Throws.TypeOf<HetznerException>().With.Message.Contains("Action failed").And.Property("Code").EqualTo("action_failed"));
    }

    [Test]
    public async Task Should_wait_until_the_limit_is_lifted_When_too_much_was_asked()
    {
        _api.Faults.Enqueue(() =>
        {
            var answer = HetznerStandIn.Error(HttpStatusCode.TooManyRequests, "rate_limit_exceeded");
            answer.Headers.Add("RateLimit-Reset", _time.GetUtcNow().AddSeconds(30).ToUnixTimeSeconds().ToString());
            return answer;
        });
        var start = _time.GetUtcNow();
        await InTimeAsync(_client.ServersAsync(default));

        Assert.That(_time.GetUtcNow() - start, Is.EqualTo(TimeSpan.FromSeconds(30)).Within(TimeSpan.FromSeconds(2)));
    }

    [TestCase(HttpStatusCode.InternalServerError, "server_error")]
    [TestCase(HttpStatusCode.ServiceUnavailable, "unavailable")]
    [TestCase(HttpStatusCode.Locked, "locked")]
    [TestCase(HttpStatusCode.Conflict, "conflict")]
    public async Task Should_try_again_When_it_passes(HttpStatusCode status, string code)
    {
        _api.Faults.Enqueue(() => HetznerStandIn.Error(status, code));
        _api.Faults.Enqueue(() => throw new HttpRequestException("reset"));
        _api.Faults.Enqueue(() => new HttpResponseMessage(HttpStatusCode.BadGateway) { Content = new StringContent("<html>", Encoding.UTF8, "text/html") });

        await InTimeAsync(_client.ServersAsync(default));
        Assert.That(_api.Requests, Has.Count.EqualTo(6));
    }

    [Test]
    public void Should_give_up_and_name_it_When_it_does_not_pass()
    {
        for (var time = 0; time < 10; time++)
        {
            _api.Faults.Enqueue(() => HetznerStandIn.Error(HttpStatusCode.ServiceUnavailable, "unavailable"));
        }

        Assert.That(() => InTimeAsync(_client.ServersAsync(default)), Throws.TypeOf<HetznerException>().With.Message.Contains("503"));
        Assert.That(_api.Requests, Has.Count.EqualTo(6));
    }

    [Test]
    public void Should_not_try_again_and_name_the_token_When_it_is_refused()
    {
        var other = new HetznerClient(new HttpClient(_api), new Secret("wrong"), _time);

        Assert.That(() => other.ServersAsync(default), Throws.TypeOf<HetznerException>().With.Property("NextStep").Contains("token").And.Message.Not.Contains("wrong"));
        Assert.That(_api.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Should_tell_a_taken_name_apart_When_a_network_is_made()
    {
        await MakeAsync();

        Assert.That(MakeAsync, Throws.TypeOf<HetznerException>().With.Property("IsNameTaken").True);
    }

    private Task<HetznerNetwork> MakeAsync() => _client.MakeNetworkAsync("k3s", "10.0.0.0/24", "eu-central", "cake-k3s", default);

    private async Task InTimeAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await task;
    }
}

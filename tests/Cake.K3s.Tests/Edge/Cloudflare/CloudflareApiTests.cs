using System.Net;
using System.Net.Http.Headers;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Edge.Cloudflare;

public sealed class CloudflareApiTests
{
    private HastyTime _time = null!;
    private CloudflareStandIn _server = null!;
    private HttpClient _http = null!;

    [SetUp]
    public void Start()
    {
        _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
        _server = new(_time);
        _http = new(_server);
    }

    [TearDown]
    public void Stop() => _http.Dispose();

    private CloudflareApi Api(string token = CloudflareStandIn.Token) => new(_http, new Uri(CloudflareStandIn.Address), new Secret(token), _time);

    private Task<CloudflareZone> ZoneAsync() => CloudflareZone.OpenAsync(Api(), CloudflareStandIn.ZoneName, default);

    [Test]
    public async Task Should_ReadAndChangeASetting_When_TheTokenMay()
    {
        var zone = await ZoneAsync();
        await zone.SetAsync("ssl", "strict", default);

        Assert.That(await zone.SettingAsync("ssl", default), Is.EqualTo("strict"));
        Assert.That(_server.Wrong, Is.Empty);
    }

    [Test]
    public async Task Should_SayWhatWasRefusedAndWhatToDo_When_TheTokenIsWrong()
    {
        var failure = Assert.ThrowsAsync<CloudflareException>(() => CloudflareZone.OpenAsync(Api("other"), CloudflareStandIn.ZoneName, default))!;

        Assert.That(failure.Summary, Is.EqualTo("Cloudflare: cannot find zone example.com: Invalid access token (9109)"));
        Assert.That(failure.NextStep, Does.Contain("docs/edge.md"));
        Assert.That(failure.ToString(), Does.Not.Contain("other"));
        await Task.CompletedTask;
    }

    [Test]
    public void Should_TellAllErrors_When_OneExplainsTheOther()
    {
        _server.Answers.Enqueue(Answer(HttpStatusCode.BadRequest, """
            {"success": false, "errors": [{"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "Invalid format for Authorization header"}]}], "result": null}
            """));

        Assert.That(
            ZoneAsync,
            Throws.TypeOf<CloudflareException>().With.Message.Contains("Invalid request headers (6003); Invalid format for Authorization header (6111)"));
    }

    [Test]
    public void Should_AskForAZoneThatTheTokenSees_When_ThereIsNoSuchZone() => Assert.That(
        () => CloudflareZone.OpenAsync(Api(), "example.org", default),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.RequirementMissing));

    [Test]
    public async Task Should_WaitAsLongAsItIsTold_When_ThereWereTooManyRequests()
    {
        var busy = Answer(HttpStatusCode.TooManyRequests, """{"success": false, "errors": [{"code": 10000, "message": "slow down"}]}""");
        busy.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(17));
        _server.Answers.Enqueue(busy);

        await ZoneAsync();

        Assert.That(_time.Waits, Is.EqualTo([TimeSpan.FromSeconds(17)]));
    }

    [Test]
    public void Should_NotWait_When_ToldToWaitForAnHour()
    {
        var busy = Answer(HttpStatusCode.TooManyRequests, "{}");
        busy.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromHours(1));
        _server.Answers.Enqueue(busy);

        Assert.That(ZoneAsync, Throws.TypeOf<CloudflareException>().With.Property("NextStep").Contains("five minutes"));
        Assert.That(_time.Waits, Is.Empty);
    }

    [Test]
    public async Task Should_TryAgain_When_TheServerFailed()
    {
        _server.Answers.Enqueue(Answer(HttpStatusCode.BadGateway, "<html>"));
        _server.Answers.Enqueue(Answer(HttpStatusCode.InternalServerError, "{}"));

        Assert.That((await ZoneAsync()).Name, Is.EqualTo("example.com"));
        Assert.That(_time.Waits, Is.EqualTo([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)]));
    }

    [Test]
    public async Task Should_NotMakeAThingTwice_When_TheServerFailedAfterAPost()
    {
        var zone = await ZoneAsync();
        _server.Answers.Enqueue(Answer(HttpStatusCode.InternalServerError, "{}"));

        Assert.That(() => zone.IssueAsync("csr", ["example.com"], 365, default), Throws.TypeOf<CloudflareException>());
        Assert.That(_time.Waits, Is.Empty);
    }

    [Test]
    public void Should_GiveUpAndNameTheHost_When_ThereIsNoAnswer()
    {
        using var http = new HttpClient(new Unreachable());
        var api = new CloudflareApi(http, new Uri(CloudflareStandIn.Address), new Secret("t"), _time);

        Assert.That(() => CloudflareZone.OpenAsync(api, "example.com", default), Throws.TypeOf<CloudflareException>().With.Message.Contains("cloudflare.test does not answer: no route"));
        Assert.That(_time.Waits, Has.Count.EqualTo(3));
    }

    [Test]
    public void Should_SayThatThereIsNoAnswer_When_TheTimeIsUp()
    {
        using var http = new HttpClient(new Silent()) { Timeout = TimeSpan.FromMilliseconds(20) };
        var api = new CloudflareApi(http, new Uri(CloudflareStandIn.Address), new Secret("t"), _time);

        Assert.That(() => CloudflareZone.OpenAsync(api, "example.com", default), Throws.TypeOf<CloudflareException>().With.Message.Contains("cloudflare.test does not answer: no answer within"));
        Assert.That(_time.Waits, Has.Count.EqualTo(3), "it is asked again");
    }

    [Test]
    public async Task Should_ReadAllPages_When_AListIsLong()
    {
        for (var i = 0; i < 120; i++)
        {
            _server.DnsRecords.Add(new() { ["type"] = "A", ["name"] = $"h{i}.example.com", ["content"] = "192.0.2.1", ["proxied"] = true });
        }

        Assert.That(await (await ZoneAsync()).ProxiedRecordsAsync(default), Has.Count.EqualTo(120));
    }

    [Test]
    public async Task Should_PurgeInPortions_When_ThereAreManyAddresses()
    {
        await (await ZoneAsync()).PurgeAsync([.. Enumerable.Range(0, 65).Select(i => new Uri($"https://example.com/{i}"))], default);

        Assert.That(_server.Purges.Select(purge => purge["files"]!.AsArray().Count), Is.EqualTo([30, 30, 5]));
        Assert.That(_server.Wrong, Is.Empty);
    }

    private static HttpResponseMessage Answer(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body) };

    private sealed class Silent : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }

    private sealed class Unreachable : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new HttpRequestException("no route");
    }
}

using System.Net;
using Cake.K3s.Images.Registry;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Images.Registry;

internal sealed class RegistryAuthenticationTests
{
    private const string Bearer = "Bearer realm=\"https://auth.example/token\",service=\"registry.example\"";
    private static readonly RegistryCredential Tess = new("tess", new("opensesame"), null);

    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task Should_send_no_credentials_When_the_registry_asks_for_none()
    {
        using var registry = new FakeRegistry(_ => FakeRegistry.Answer(HttpStatusCode.NotFound), credential: Tess);
        using var client = registry.Open();

        await client.FindDigestAsync("shop/api", "v1", default);

        Assert.That(registry.Requests.Single().Authorization, Is.Null);
    }

    [Test]
    public async Task Should_send_name_and_password_When_the_registry_asks_for_them()
    {
        using var registry = new FakeRegistry(request => request.Headers.Authorization is null ? FakeRegistry.Challenge("Basic realm=\"x\"") : FakeRegistry.Answer(HttpStatusCode.NotFound), credential: Tess);
        using var client = registry.Open();

        await client.FindDigestAsync("shop/api", "v1", default);
        await client.FindDigestAsync("shop/api", "v2", default);

        Assert.That(registry.Requests.Select(request => request.Authorization), Is.EqualTo(new[] { null, "Basic dGVzczpvcGVuc2VzYW1l", "Basic dGVzczpvcGVuc2VzYW1l" }));
    }

    [Test]
    public async Task Should_fetch_one_token_a_scope_by_GET_When_the_registry_has_a_token_server()
    {
        var tokens = 0;
        using var registry = TokenRegistry(() => $$"""{"token":"t{{++tokens}}","expires_in":300}""");
        using var client = registry.Open();

        await client.FindDigestAsync("shop/api", "v1", default);
        await client.FindDigestAsync("shop/api", "v2", default);

        var asked = registry.Requests.Single(request => request.PathAndQuery.StartsWith("/token", StringComparison.Ordinal));
        Assert.That(asked.Method, Is.EqualTo("GET"));
        Assert.That(asked.PathAndQuery, Is.EqualTo("/token?service=registry.example&scope=repository%3Ashop%2Fapi%3Apull"));
        Assert.That(asked.Authorization, Does.StartWith("Basic "));
    }

    [Test]
    public async Task Should_fetch_a_new_token_before_the_old_one_expires()
    {
        var tokens = 0;
        using var registry = TokenRegistry(() => $$"""{"token":"t{{++tokens}}","expires_in":300}""");
        using var client = registry.Open();
        await client.FindDigestAsync("shop/api", "v1", default);

        _time.Advance(TimeSpan.FromSeconds(291));
        await client.FindDigestAsync("shop/api", "v1", default);

        Assert.That(registry.Requests.Last().Authorization, Is.EqualTo("Bearer t2"));
    }

    [Test]
    public async Task Should_go_on_with_a_new_token_When_the_old_one_is_refused_early()
    {
        var tokens = 0;
        var refused = "none";
        using var registry = new FakeRegistry(
            request => request.RequestUri!.AbsolutePath == "/token"
                ? FakeRegistry.Answer(HttpStatusCode.OK, $$"""{"access_token":"t{{++tokens}}","expires_in":300}""")
                : request.Headers.Authorization is { } header && header.Parameter != refused ? FakeRegistry.Answer(HttpStatusCode.NotFound) : FakeRegistry.Challenge(Bearer),
            _time,
            Tess);
        using var client = registry.Open();
        await client.FindDigestAsync("shop/api", "v1", default);
        refused = "t1";

        await client.FindDigestAsync("shop/api", "v1", default);

        Assert.That(registry.Requests.Last().Authorization, Is.EqualTo("Bearer t2"));
    }

    [Test]
    public async Task Should_go_on_with_a_third_token_When_the_second_is_refused_too()
    {
        var tokens = 0;
        using var registry = new FakeRegistry(
            request => request.RequestUri!.AbsolutePath == "/token"
                ? FakeRegistry.Answer(HttpStatusCode.OK, $$"""{"token":"t{{++tokens}}","expires_in":300}""")
                : request.Headers.Authorization?.Parameter == "t3" ? FakeRegistry.Answer(HttpStatusCode.NotFound) : FakeRegistry.Challenge(Bearer),
            _time,
            Tess);
        using var client = registry.Open();

        Assert.That(await client.FindDigestAsync("shop/api", "v1", default), Is.Null);
    }

    [Test]
    public void Should_fail_When_every_token_is_refused()
    {
        var tokens = 0;
        using var registry = new FakeRegistry(
            request => request.RequestUri!.AbsolutePath == "/token" ? FakeRegistry.Answer(HttpStatusCode.OK, $$"""{"token":"t{{++tokens}}"}""") : FakeRegistry.Challenge(Bearer),
            _time,
            Tess);
        using var client = registry.Open();

        Assert.That(async () => await client.FindDigestAsync("shop/api", "v1", default), Throws.TypeOf<K3sException>());
        Assert.That(tokens, Is.EqualTo(3));
    }

    [Test]
    public void Should_name_the_login_command_and_not_the_password_When_the_token_server_refuses()
    {
        using var registry = new FakeRegistry(
            request => request.RequestUri!.AbsolutePath == "/token" ? FakeRegistry.Answer(HttpStatusCode.Unauthorized) : FakeRegistry.Challenge(Bearer),
            credential: Tess);
        using var client = registry.Open();

        Assert.That(
            async () => await client.FindDigestAsync("shop/api", "v1", default),
            Throws.TypeOf<K3sException>().With.Message.Contains("docker login registry.example").And.Message.Not.Contains("opensesame"));
    }

    [Test]
    public void Should_say_that_there_is_no_login_When_Docker_has_none()
    {
        using var registry = new FakeRegistry(
            request => request.RequestUri!.AbsolutePath == "/token" ? FakeRegistry.Answer(HttpStatusCode.Unauthorized) : FakeRegistry.Challenge(Bearer));
        using var client = registry.Open();

        Assert.That(async () => await client.FindDigestAsync("shop/api", "v1", default), Throws.TypeOf<K3sException>().With.Message.Contains("Docker has none"));
    }

    [Test]
    public void Should_not_repeat_a_refused_password()
    {
        using var registry = new FakeRegistry(_ => FakeRegistry.Challenge("Basic realm=\"x\""), credential: Tess);
        using var client = registry.Open();

        Assert.That(async () => await client.FindDigestAsync("shop/api", "v1", default), Throws.TypeOf<K3sException>());
        Assert.That(registry.Requests, Has.Count.EqualTo(2));
    }

    private FakeRegistry TokenRegistry(Func<string> token) => new(
        request => request.RequestUri!.AbsolutePath == "/token"
            ? FakeRegistry.Answer(HttpStatusCode.OK, token())
            : request.Headers.Authorization is null ? FakeRegistry.Challenge(Bearer) : FakeRegistry.Answer(HttpStatusCode.NotFound),
        _time,
        Tess);
}

using System.Net;
using Cake.K3s.Images;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Images.Registry;

internal sealed class RegistryRetryTests
{
    [TestCase(HttpStatusCode.TooManyRequests)]
    [TestCase(HttpStatusCode.BadGateway)]
    public async Task Should_try_again_When_the_failure_may_pass(HttpStatusCode status)
    {
        var count = 0;
        using var registry = new FakeRegistry(_ => FakeRegistry.Answer(++count == 1 ? status : HttpStatusCode.NotFound));
        using var client = registry.Open();

        Assert.That(await client.FindDigestAsync("shop/api", "v1", default), Is.Null);
        Assert.That(count, Is.EqualTo(2));
    }

    [Test]
    public async Task Should_try_again_When_the_connection_is_reset()
    {
        var count = 0;
        using var registry = new FakeRegistry(_ => ++count == 1 ? throw new HttpRequestException("reset") : FakeRegistry.Answer(HttpStatusCode.NotFound));
        using var client = registry.Open();

        Assert.That(await client.FindDigestAsync("shop/api", "v1", default), Is.Null);
    }

    [Test]
    public async Task Should_wait_as_long_as_the_registry_asks()
    {
        var time = new FakeTimeProvider();
        var count = 0;
        using var registry = new FakeRegistry(
            _ =>
            {
                var response = FakeRegistry.Answer(++count == 1 ? HttpStatusCode.TooManyRequests : HttpStatusCode.NotFound);
                response.Headers.RetryAfter = new(TimeSpan.FromSeconds(7));
                return response;
            },
            time);
        using var client = registry.Open();

        var found = client.FindDigestAsync("shop/api", "v1", default);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.That(found.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That(await found, Is.Null);
    }

    [Test]
    public void Should_name_the_registry_and_the_cause_When_it_cannot_be_reached()
    {
        using var registry = new FakeRegistry(_ => throw new HttpRequestException("Connection refused"));
        using var client = registry.Open();

        Assert.That(
            async () => await client.FindDigestAsync("shop/api", "v1", default),
            Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.Summary)).EqualTo("registry registry.example did not look up shop/api:v1: Connection refused"));
    }

    [Test]
    public void Should_refuse_a_manifest_whose_bytes_have_another_digest()
    {
        using var registry = new FakeRegistry(_ => FakeRegistry.Answer(HttpStatusCode.OK, "{}"));
        using var client = registry.Open();

        Assert.That(
            async () => await client.FindManifestAsync("shop/api", Digest.Of("other"u8).ToString(), default),
            Throws.TypeOf<K3sException>().With.Message.Contains("wrong content"));
    }
}

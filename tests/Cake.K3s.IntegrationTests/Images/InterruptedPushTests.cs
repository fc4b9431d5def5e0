using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Pushes that end anywhere, seen from the registry: to it a killed client is one whose connections are cut and that asks nothing more.</summary>
internal sealed class InterruptedPushTests
{
    private const int Pushes = 50;

    private RegistryServer _server;
    private RegistryProxy _proxy;
    private RegistryClient _direct;
    private ECDsa _key;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _proxy = await RegistryProxy.StartAsync(_server);
        _direct = Registries.Open(_server.Connection);
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _key?.Dispose();
        _direct?.Dispose();
        await (_proxy?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_never_let_a_tag_name_an_unsigned_image_and_complete_in_the_next_run_When_killed_anywhere()
    {
        using var app = App.Create(_proxy.Connection, "api");
        var random = TestContext.CurrentContext.Random;
        var unsigned = new ConcurrentQueue<string>();
        var killedAt = int.MaxValue;
        var seen = 0;
        _proxy.Fault = async (context, _) =>
        {
            // The one moment at which a tag can come to name an image: what does the registry hold just before?
            if (context.Request.Method == "PUT" && TagIn(context) is { } tag && !tag.EndsWith(".sig", StringComparison.Ordinal))
            {
                var named = await DigestOfBodyAsync(context);
                if (!await IsSignedAsync(named, app))
                {
                    unsigned.Enqueue($"{tag} put before the signature of {named}");
                }
            }

            if (Interlocked.Increment(ref seen) >= Volatile.Read(ref killedAt))
            {
                context.Abort();
                return true;
            }

            return false;
        };

        for (var push = 0; push < Pushes; push++)
        {
            var tag = $"key-{push}";
            var digest = app.WriteBuild("api", $"{push}", 30_000, 70_000);
            app.Sign("api", _key);
            using var done = new CancellationTokenSource();
            var watch = WatchAsync(tag, app, unsigned, done.Token);

            // A whole push takes some twenty requests.
            (seen, killedAt) = (0, random.Next(1, 24));
            _proxy.CutBodyAfter = _ => seen == killedAt - 1 ? random.Next(60_000) : null;
            try
            {
                await app.PushAsync();
            }
            catch (K3sException)
            {
                // Killed.
            }

            (seen, killedAt) = (0, int.MaxValue);
            _proxy.CutBodyAfter = _ => null;
            await app.PushAsync();
            await done.CancelAsync();
            await watch;
            Assert.That(await _direct.FindDigestAsync("shop/api", tag, default), Is.EqualTo(digest));
        }

        Assert.That(unsigned, Is.Empty);
    }

    [Test]
    public async Task Should_go_on_with_a_new_token_When_the_old_one_expires_in_the_middle_of_an_upload()
    {
        using var app = App.Create(_proxy.Connection, "api");
        var tokens = 0;
        var uses = new ConcurrentDictionary<string, int>();
        _proxy.Fault = async (context, _) =>
        {
            if (context.Request.Path == "/token")
            {
                await context.Response.WriteAsync($$"""{"token":"t{{Interlocked.Increment(ref tokens)}}","expires_in":300}""");
                return true;
            }

            // Each token is good for four requests.
            var token = context.Request.Headers.Authorization.ToString();
            if (token.Length > 0 && uses.AddOrUpdate(token, 1, (_, used) => used + 1) <= 4)
            {
                return false;
            }

            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{_proxy.Host}/token\",service=\"test\"";
            return true;
        };
        var digest = app.WriteBuild("api", "1", 500_000, 500_000);
        app.Sign("api", _key);

        await app.PushAsync();

        Assert.That(tokens, Is.GreaterThan(2));
        Assert.That(await _direct.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(digest));
    }

    private static string? TagIn(HttpContext context) =>
        context.Request.Path.Value!.Split("/manifests/") is [_, var reference] && !reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference : null;

    private static async Task<Digest> DigestOfBodyAsync(HttpContext context)
    {
        using var copy = new MemoryStream();
        await context.Request.Body.CopyToAsync(copy);
        context.Request.Body = new MemoryStream(copy.ToArray());
        return Digest.Of(copy.ToArray());
    }

    private Task<bool> IsSignedAsync(Digest digest, App app) =>
        _direct.IsSignedAsync("shop/api", digest, [PublicKey.Read(app.Environment.SigningKey.PublicKey)], default);

    private async Task WatchAsync(string tag, App app, ConcurrentQueue<string> unsigned, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (await _direct.FindDigestAsync("shop/api", tag, default) is { } named && !await IsSignedAsync(named, app))
            {
                unsigned.Enqueue($"{tag} names {named}");
            }
        }
    }
}

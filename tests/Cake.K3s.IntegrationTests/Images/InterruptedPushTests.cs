using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Pushes that end anywhere, seen from the registry.</summary>
[Parallelizable(ParallelScope.Self)]
internal sealed class InterruptedPushTests
{
    private const int Runs = 50;
    private const int Lanes = 2;

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
    public async Task Should_never_let_a_tag_name_an_unsigned_image_and_complete_in_a_later_run_When_the_host_is_killed_anywhere()
    {
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => PushWithKillsAsync($"lane{lane}", new Random(TestContext.CurrentContext.Random.Next()))));
    }

    /// <summary>Runs Push as a process again and again: each run is killed (-9) at some request, and goes on with what the one before it left.</summary>
    private async Task PushWithKillsAsync(string prefix, Random random)
    {
        await using var proxy = await RegistryProxy.StartAsync(_server);
        using var app = App.Create(proxy.Connection with { Prefix = prefix }, "api", "worker");
        HostProcess.WriteSettings(app);
        app.Files.Write("cosign.key", "not used by Push");
        var unsigned = new ConcurrentQueue<string>();
        var (killedAt, seen, kills, completed) = (0, 0, 0, 0);
        Process? host = null;
        proxy.Fault = (_, _) =>
        {
            if (Interlocked.Increment(ref seen) != killedAt)
            {
                return Task.FromResult(false);
            }

            // Between two bytes of whatever is under way; this request itself may still reach the registry.
            host!.Kill();
            kills++;
            return Task.FromResult(random.Next(2) == 0);
        };
        using var done = new CancellationTokenSource();
        var watch = Task.Run(() => WatchAsync(app, unsigned, done.Token));
        var fresh = true;
        for (var run = 0; run < Runs / Lanes || !fresh; run++)
        {
            if (fresh)
            {
                foreach (var image in app.Settings.Images.Keys)
                {
                    app.WriteBuild(image, $"{run}", 30_000, 70_000);
                    app.Artifacts(image).Write(app.Artifacts(image).ReadBuild() with { Tags = [$"sha-{run}"] });
                    app.Sign(image, _key);
                }
            }

            // A whole push of both takes some forty requests; the last runs are let go, so that all comes to an end.
            (seen, killedAt) = (0, run < Runs / Lanes ? random.Next(1, 50) : int.MaxValue);
            host = HostProcess.Start(app, "Push");
            await host.WaitForExitAsync();
            fresh = host.ExitCode == 0;
            completed += fresh ? 1 : 0;
            Assert.That(fresh || seen >= killedAt, Is.True, () => host.StandardOutput.ReadToEnd() + host.StandardError.ReadToEnd());
            host.Dispose();
        }

        await done.CancelAsync();
        var looks = await watch;
        TestContext.Out.WriteLine($"{prefix}: {kills} runs killed, {completed} completed, the tags seen {looks} times");
        Assert.That(unsigned, Is.Empty);
        Assert.That(kills, Is.GreaterThan(5));
        Assert.That(looks, Is.Positive, "no tag was ever seen");
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

    /// <summary>Looks all the time what each tag names, and whether that is signed.</summary>
    /// <returns>How many times a tag named an image.</returns>
    private async Task<int> WatchAsync(App app, ConcurrentQueue<string> unsigned, CancellationToken cancellationToken)
    {
        var key = PublicKey.Read(app.Files.Write("watched.pub", _key.ExportSubjectPublicKeyInfoPem()));
        var named = 0;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!cancellationToken.IsCancellationRequested)
        {
            // Null: not written yet, or being written.
            foreach (var build in app.Settings.Images.Keys.Select(image => app.Artifacts(image).FindBuild()).OfType<BuildRecord>())
            {
                var repository = ImageReference.Parse(build.Repository).Repository;
                foreach (var tag in build.Tags.Add(ContentKey.TagOf(build.ContentKey)))
                {
                    if (await _direct.FindDigestAsync(repository, tag, default) is { } digest)
                    {
                        named++;
                        if (!await _direct.IsSignedAsync(repository, digest, [key], default))
                        {
                            unsigned.Enqueue($"{repository}:{tag} names {digest}");
                        }
                    }
                }
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return named;
    }
}

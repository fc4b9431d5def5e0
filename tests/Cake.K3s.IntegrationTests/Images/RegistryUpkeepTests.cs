using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Images;
using Cake.K3s.Images.Pruning;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>What becomes of images later: pruned, or copied to another registry.</summary>
internal sealed class RegistryUpkeepTests
{
    private RegistryServer _server;
    private RegistryClient _client;
    private App _app;
    private ECDsa _key;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _client = Registries.Open(_server.Connection);
        _app = App.Create(_server.Connection, "api");
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _key?.Dispose();
        _app?.Dispose();
        _client?.Dispose();
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_delete_nothing_When_it_is_not_confirmed()
    {
        var (old, now) = await PushTwoAsync();

        await PruneAsync(confirm: false, used: []);

        Assert.That(_app.Reporter.Lines, Has.Some.Contains($"would go: {old}"));
        Assert.That(await ExistsAsync(old) && await ExistsAsync(now), Is.True);
    }

    [Test]
    public async Task Should_delete_the_image_its_tags_and_its_signature_and_keep_what_was_pushed_last_When_confirmed()
    {
        var (old, now) = await PushTwoAsync();

        await PruneAsync(confirm: true, used: []);

        Assert.That(await ExistsAsync(old), Is.False);
        Assert.That(await _client.FindDigestAsync("shop/api", LegacySignature.TagOf(old), default), Is.Null);
        Assert.That(await ExistsAsync(now), Is.True);
        await _app.CheckAsync($"{_app.RepositoryOf("api")}@{now}");
    }

    [Test]
    public async Task Should_delete_tag_by_tag_with_the_package_API_and_keep_what_is_kept_When_the_registry_is_Giteas()
    {
        // A stand-in: the real registry, with the answers of Gitea's published API before it.
        await using var gitea = await RegistryProxy.StartAsync(_server);
        _server.LogIn(host: gitea.Host);
        var deleted = new List<string>();
        gitea.Fault = async (context, _) =>
        {
            const string Packages = "/api/v1/packages/shop/container/app%2Fapi/";
            var path = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
            if (path == "/api/v1/version")
            {
                await context.Response.WriteAsync("""{"version":"1.26.1"}""");
                return true;
            }

            if (context.Request.Method != "DELETE" || !path.StartsWith(Packages, StringComparison.Ordinal) || context.Request.Headers.Authorization != RegistryServer.BasicAuthorization)
            {
                return false;
            }

            var version = Uri.UnescapeDataString(path[Packages.Length..]);
            deleted.Add(version);
            if (Digest.TryParse(version) is { } digest)
            {
                await _client.DeleteManifestAsync("shop/app/api", digest, default);
            }

            context.Response.StatusCode = 204;
            return true;
        };
        _app.Environment = _app.Environment with { Registry = gitea.Connection with { Prefix = "shop/app" } };
        var (old, now) = await PushTwoAsync();
        var signature = await _client.FindDigestAsync("shop/app/api", LegacySignature.TagOf(old), default);

        await PruneAsync(confirm: true, used: []);

        Assert.That(deleted, Is.EqualTo(new[] { "key-" + Key(1), old.ToString(), LegacySignature.TagOf(old), signature!.ToString() }));
        Assert.That(gitea.Requests, Has.None.StartWith("DELETE /v2/"));
        Assert.That(await _client.FindDigestAsync("shop/app/api", now.ToString(), default), Is.Not.Null);
        Assert.That(_app.Reporter.Lines, Has.Some.Contains("is Gitea 1.26.1"));
    }

    [Test]
    public async Task Should_delete_the_bundles_too_When_the_image_is_signed_in_that_form()
    {
        using var app = await App.CreateAsync(_server.Connection, "api");
        app.Environment = app.Environment with { SigningKey = app.Environment.SigningKey with { Form = Settings.SignatureForm.Bundle } };
        var old = app.WriteBuild("api", Key(1), 1000);
        await app.SignAsync();
        await app.PushAsync();
        var bundles = (await _client.ReferrersAsync("shop/api", old, default)).Manifests;
        app.WriteBuild("api", Key(2), 1000);
        await app.SignAsync();
        await app.PushAsync();

        await PruneAsync(app, confirm: true, used: []);

        Assert.That(await ExistsAsync(old), Is.False);
        Assert.That(bundles, Has.Length.EqualTo(1));
        Assert.That(await ExistsAsync(bundles[0].Digest), Is.False);
        Assert.That(await _client.FindDigestAsync("shop/api", RegistryClient.FallbackTagOf(old), default), Is.Null);
    }

    [Test]
    public async Task Should_keep_what_an_environment_runs_When_confirmed()
    {
        var (old, _) = await PushTwoAsync();

        await PruneAsync(confirm: true, used: [old]);

        await _app.CheckAsync($"{_app.RepositoryOf("api")}@{old}");
    }

    [Test]
    public async Task Should_let_the_copy_be_verified_and_deployed_and_nothing_be_built_again_When_mirrored()
    {
        await using var second = await RegistryServer.StartAsync();
        var digest = _app.WriteBuild("api", Key(1), 30_000);
        _app.Sign("api", _key);
        await _app.PushAsync();

        var address = $"http://{second.Host}/copy";
        await new ImageMirror(new(_app.Run.Options with { Mirror = address }, _app.Settings, _app.Environment), Registries.Clients(), _app.Reporter).MirrorAsync();
        await _server.DisposeAsync();
        _server = null!;

        _app.Environment = _app.Environment with { Registry = _app.Environment.Registry.At(address) };
        await _app.CheckAsync($"{second.Host}/copy/api@{digest}");
        using var mirror = Registries.Open(second.Connection);
        Assert.That(await mirror.FindDigestAsync("copy/api", "key-" + Key(1), default), Is.EqualTo(digest));
    }

    private static string Key(int number) => $"{number:x32}";

    private async Task<(Digest Old, Digest Now)> PushTwoAsync()
    {
        var old = _app.WriteBuild("api", Key(1), 1000);
        _app.Sign("api", _key);
        await _app.PushAsync();
        var now = _app.WriteBuild("api", Key(2), 1000);
        _app.Sign("api", _key);
        await _app.PushAsync();
        return (old, now);
    }

    private async Task<bool> ExistsAsync(Digest digest) => await _client.FindDigestAsync("shop/api", digest.ToString(), default) is not null;

    private Task PruneAsync(bool confirm, params Digest[] used) => PruneAsync(_app, confirm, used);

    private static Task PruneAsync(App app, bool confirm, params Digest[] used) => new RegistryPruner(
        new(app.Run.Options with { Confirm = confirm }, app.Settings, app.Environment),
        [],
        new FixedUse(used),
        Registries.Clients(),
        app.Reporter,
        TimeProvider.System).PruneAsync();

    private sealed class FixedUse(Digest[] used) : IImagesInUse
    {
        public Task<IReadOnlyDictionary<Digest, string>> ReadAsync(DeployEnvironment environment, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Digest, string>>(used.ToDictionary(digest => digest, _ => "in use"));
    }
}

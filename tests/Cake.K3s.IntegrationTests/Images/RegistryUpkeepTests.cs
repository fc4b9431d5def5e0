using System.Security.Cryptography;
using Cake.K3s.Environments;
using Cake.K3s.Images;
using Cake.K3s.Images.Pruning;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;

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

    private Task PruneAsync(bool confirm, params Digest[] used) => new RegistryPruner(
        new(_app.Run.Options with { Confirm = confirm }, _app.Settings, _app.Environment),
        [],
        new FixedUse(used),
        Registries.Clients(),
        _app.Reporter,
        TimeProvider.System).PruneAsync();

    private sealed class FixedUse(Digest[] used) : IImagesInUse
    {
        public Task<IReadOnlyDictionary<Digest, string>> ReadAsync(DeployEnvironment environment, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<Digest, string>>(used.ToDictionary(digest => digest, _ => "in use"));
    }
}

using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Sign and Push with real cosign and a real registry.</summary>
internal sealed class SignedPushTests
{
    private const string CommitTag = "sha-0123456789ab";

    private RegistryServer _server;
    private RegistryProxy _proxy;
    private App _app;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _proxy = await RegistryProxy.StartAsync(_server);
        _app = await App.CreateAsync(_proxy.Connection, "api");
    }

    [TearDown]
    public async Task StopAsync()
    {
        _app?.Dispose();
        await (_proxy?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_push_blobs_then_manifest_then_signature_then_tag_When_nothing_is_there()
    {
        var digest = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();

        var manifests = _proxy.Requests.Where(request => request.StartsWith("PUT /v2/shop/api/manifests/", StringComparison.Ordinal)).Select(request => request.Split('/')[^1]).ToList();
        Assert.That(manifests, Has.Count.EqualTo(4));
        Assert.That(manifests[0], Is.EqualTo(digest.ToString()));
        Assert.That(manifests[2..], Is.EqualTo(new[] { LegacySignature.TagOf(digest), "key-1" }));
        var requests = _proxy.Requests.ToList();
        Assert.That(requests.FindLastIndex(request => request.StartsWith("PUT /v2/shop/api/blobs/uploads/", StringComparison.Ordinal)), Is.LessThan(requests.FindIndex(request => request.EndsWith(LegacySignature.TagOf(digest), StringComparison.Ordinal) && request.StartsWith("PUT", StringComparison.Ordinal))));
    }

    [Test]
    public async Task Should_send_nothing_When_all_is_there()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        _proxy.Requests.Clear();

        await _app.PushAsync();

        Assert.That(_proxy.Requests.Where(request => !request.StartsWith("HEAD", StringComparison.Ordinal) && !request.StartsWith("GET", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Should_push_nothing_When_the_signature_is_by_another_key()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.MakeKeyPairAsync("other");
        _app.Environment = _app.Environment with { SigningKey = _app.Environment.SigningKey with { PublicKey = _app.Files.File("other.pub") } };

        Assert.That(_app.PushAsync, Throws.TypeOf<K3sException>().With.Message.Contains("api is not pushed"));
        Assert.That(_proxy.Requests, Is.Empty);
    }

    [Test]
    public async Task Should_push_nothing_When_the_signature_is_of_another_image()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        var (payload, signature) = (File.ReadAllBytes(_app.Artifacts("api").Payload), File.ReadAllText(_app.Artifacts("api").Signature));
        _app.WriteBuild("api", "2", 2000);
        File.WriteAllBytes(_app.Artifacts("api").Payload, payload);
        File.WriteAllText(_app.Artifacts("api").Signature, signature);

        Assert.That(_app.PushAsync, Throws.TypeOf<K3sException>().With.Message.Contains("api is not pushed"));
    }

    [Test]
    public async Task Should_say_that_the_keys_are_no_pair_When_they_are_not()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.MakeKeyPairAsync("other");
        _app.Environment = _app.Environment with { SigningKey = _app.Environment.SigningKey with { PublicKey = _app.Files.File("other.pub") } };

        Assert.That(_app.SignAsync, Throws.TypeOf<K3sException>().With.Message.Contains("does not verify").And.Message.Contains("not a pair"));
    }

    [Test]
    public async Task Should_refuse_to_move_a_tag_and_say_what_it_names_When_it_names_another_signed_image()
    {
        var first = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        _app.WriteBuild("api", "1", 2000);
        await _app.SignAsync();

        Assert.That(_app.PushAsync, Throws.TypeOf<K3sException>().With.Message.Contains($"names {first} already"));
    }

    [Test]
    public async Task Should_move_the_keys_tag_When_a_rebuild_was_asked_for()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        var second = _app.WriteBuild("api", "1", 2000);
        await _app.SignAsync();
        _app.Rebuild = true;

        await _app.PushAsync();

        using var client = Registries.Open(_server.Connection);
        Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(second));
    }

    [Test]
    public async Task Should_send_nothing_and_say_what_a_commits_tag_names_When_the_commit_gives_another_image()
    {
        var first = await PushTaggedAsync("1");
        _app.WriteBuild("api", "2", 2000);
        _app.Artifacts("api").Write(_app.Artifacts("api").ReadBuild() with { Tags = [CommitTag] });
        await _app.SignAsync();
        _proxy.Requests.Clear();

        Assert.That(
            _app.PushAsync,
            Throws.TypeOf<K3sException>().With.Message.Contains($"{CommitTag} names {first} already").And.Property(nameof(K3sException.NextStep)).Contains("--force-tag"));
        Assert.That(_proxy.Requests.Where(request => request.StartsWith('P')), Is.Empty);
    }

    [Test]
    public async Task Should_move_a_commits_tag_When_that_is_forced()
    {
        await PushTaggedAsync("1");
        _app.ForceTag = true;
        var second = await PushTaggedAsync("2");

        using var client = Registries.Open(_server.Connection);
        Assert.That(await client.FindDigestAsync("shop/api", CommitTag, default), Is.EqualTo(second));
    }

    private async Task<Digest> PushTaggedAsync(string key)
    {
        var digest = _app.WriteBuild("api", key, 1000);
        _app.Artifacts("api").Write(_app.Artifacts("api").ReadBuild() with { Tags = [CommitTag] });
        await _app.SignAsync();
        await _app.PushAsync();
        return digest;
    }

    [Test]
    public async Task Should_take_over_a_keys_tag_When_it_names_an_unsigned_image()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        using var client = Registries.Open(_server.Connection);
        var signatures = await client.FindDigestAsync("shop/api", LegacySignature.TagOf(_app.Artifacts("api").ReadBuild().Digest), default);
        await client.DeleteManifestAsync("shop/api", signatures!, default);
        var second = _app.WriteBuild("api", "1", 2000);
        await _app.SignAsync();

        await _app.PushAsync();

        Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(second));
    }

    [Test]
    public async Task Should_leave_the_password_in_no_file_and_no_line_When_signed_and_pushed()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();

        var files = Directory.EnumerateFiles(_app.Root, "*", SearchOption.AllDirectories).Where(file => File.ReadAllText(file).Contains(App.KeyPassword, StringComparison.Ordinal));
        Assert.That(files, Is.Empty);
        Assert.That(_app.Reporter.Lines, Has.None.Contains(App.KeyPassword));
    }
}

using System.Text;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.IntegrationTests.Images.Fixtures;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>Sign and Push with real cosign and a real registry.</summary>
internal sealed class SignedPushTests
{
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
    public async Task Should_satisfy_cosign_verify_When_pushed()
    {
        var digest = _app.WriteBuild("api", "1", 1000, 2000);
        await _app.SignAsync();
        await _app.PushAsync();

        var byDigest = await _app.CosignVerifyAsync($"{_app.RepositoryOf("api")}@{digest}");
        var byTag = await _app.CosignVerifyAsync($"{_app.RepositoryOf("api")}:key-1");

        Assert.That(byDigest.ExitCode, Is.Zero, byDigest.StandardError);
        Assert.That(byTag.ExitCode, Is.Zero, byTag.StandardError);
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
        Assert.That(manifests[2..], Is.EqualTo(new[] { ImageSignature.TagOf(digest), "key-1" }));
        var requests = _proxy.Requests.ToList();
        Assert.That(requests.FindLastIndex(request => request.StartsWith("PUT /v2/shop/api/blobs/uploads/", StringComparison.Ordinal)), Is.LessThan(requests.FindIndex(request => request.EndsWith(ImageSignature.TagOf(digest), StringComparison.Ordinal) && request.StartsWith("PUT", StringComparison.Ordinal))));
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
    public async Task Should_leave_a_commits_tag_with_what_it_names_and_say_so_When_the_commit_gives_another_image()
    {
        var first = _app.WriteBuild("api", "1", 1000);
        _app.Artifacts("api").Write(_app.Artifacts("api").ReadBuild() with { Tags = ["sha-0123456789ab"] });
        await _app.SignAsync();
        await _app.PushAsync();
        var second = _app.WriteBuild("api", "2", 2000);
        _app.Artifacts("api").Write(_app.Artifacts("api").ReadBuild() with { Tags = ["sha-0123456789ab"] });
        await _app.SignAsync();

        await _app.PushAsync();

        using var client = Registries.Open(_server.Connection);
        Assert.That(await client.FindDigestAsync("shop/api", "sha-0123456789ab", default), Is.EqualTo(first));
        Assert.That(await client.FindDigestAsync("shop/api", "key-2", default), Is.EqualTo(second));
        Assert.That(_app.Reporter.Lines, Has.Some.Contains($"sha-0123456789ab names {first} already"));
    }

    [Test]
    public async Task Should_take_over_a_keys_tag_When_it_names_an_unsigned_image()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        using var client = Registries.Open(_server.Connection);
        var signatures = await client.FindDigestAsync("shop/api", ImageSignature.TagOf(_app.Artifacts("api").ReadBuild().Digest), default);
        await client.DeleteManifestAsync("shop/api", signatures!, default);
        var second = _app.WriteBuild("api", "1", 2000);
        await _app.SignAsync();

        await _app.PushAsync();

        Assert.That(await client.FindDigestAsync("shop/api", "key-1", default), Is.EqualTo(second));
    }

    [Test]
    public async Task Should_fail_cosign_verify_When_the_key_is_another()
    {
        var digest = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        await _app.MakeKeyPairAsync("other");

        Assert.That((await _app.CosignVerifyAsync($"{_app.RepositoryOf("api")}@{digest}", "other.pub")).ExitCode, Is.Not.Zero);
    }

    [Test]
    public async Task Should_fail_cosign_verify_When_the_tag_was_moved_to_an_unsigned_image()
    {
        _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        using var client = Registries.Open(_server.Connection);
        await PushUnsignedAsync(client, "shop/api", "key-1");

        Assert.That((await _app.CosignVerifyAsync($"{_app.RepositoryOf("api")}:key-1")).ExitCode, Is.Not.Zero);
    }

    [Test]
    public async Task Should_fail_cosign_verify_When_the_signature_is_that_of_another_repositorys_image()
    {
        var digest = _app.WriteBuild("api", "1", 1000);
        await _app.SignAsync();
        await _app.PushAsync();
        using var client = Registries.Open(_server.Connection);
        var unsigned = await PushUnsignedAsync(client, "shop/admin", "v1");
        var signature = await client.ReadSignaturesAsync("shop/api", digest, default);
        await client.PushSignatureAsync("shop/admin", unsigned, signature[0], default);

        Assert.That((await _app.CosignVerifyAsync($"{_app.RepositoryOf("admin")}@{unsigned}")).ExitCode, Is.Not.Zero);
        Assert.That(await client.IsSignedAsync("shop/admin", unsigned, [PublicKey.Read(_app.Environment.SigningKey.PublicKey)], default), Is.False);
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

    private static async Task<Digest> PushUnsignedAsync(Cake.K3s.Images.Registry.RegistryClient client, string repository, string tag)
    {
        var config = Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","comment":"{{repository}}"}""");
        var descriptor = OciDescriptor.Of(MediaTypes.Config, config);
        await client.PushBlobAsync(repository, descriptor, config, default);
        byte[] bytes = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new OciManifest { Config = descriptor, Layers = [] }, OciJson.Default.OciManifest);
        await client.PushManifestAsync(repository, tag, [.. bytes], MediaTypes.Manifest, default);
        return Digest.Of(bytes);
    }
}

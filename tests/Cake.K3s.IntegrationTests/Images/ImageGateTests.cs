using System.Security.Cryptography;
using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>What Deploy lets through, by a real registry.</summary>
internal sealed class ImageGateTests
{
    private const string Foreign = "docker.io/library/redis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private RegistryServer _server;
    private App _app;
    private ECDsa _key;
    private string _image;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _app = App.Create(_server.Connection, "api");
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var digest = _app.WriteBuild("api", "1", 1000);
        _app.Sign("api", _key);
        await _app.PushAsync();
        _image = $"{_app.RepositoryOf("api")}@{digest}";
    }

    [TearDown]
    public async Task StopAsync()
    {
        _key?.Dispose();
        _app?.Dispose();
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_let_a_signed_image_and_a_pinned_one_through() => await _app.CheckAsync(_image, Foreign);

    [TestCase("docker.io/library/redis:7")]
    [TestCase("redis")]
    public void Should_refuse_an_image_of_others_that_is_not_pinned(string image) =>
        Assert.That(() => _app.CheckAsync(_image, image), Throws.TypeOf<K3sException>().With.Message.Contains($"{image}: it is not pinned"));

    [Test]
    public void Should_refuse_an_image_of_the_app_by_tag() =>
        Assert.That(() => _app.CheckAsync($"{_app.RepositoryOf("api")}:key-1"), Throws.TypeOf<K3sException>().With.Message.Contains("not pinned"));

    [Test]
    public async Task Should_refuse_an_image_of_the_app_whose_signature_is_gone()
    {
        using var client = Registries.Open(_server.Connection);
        var digest = ImageReference.Parse(_image).Digest!;
        await client.DeleteManifestAsync("shop/api", (await client.FindDigestAsync("shop/api", LegacySignature.TagOf(digest), default))!, default);

        Assert.That(() => _app.CheckAsync(_image), Throws.TypeOf<K3sException>().With.Message.Contains("it is not signed"));
    }

    [Test]
    public void Should_refuse_an_image_by_another_key()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _app.Files.Write("cosign.pub", other.ExportSubjectPublicKeyInfoPem());

        Assert.That(() => _app.CheckAsync(_image), Throws.TypeOf<K3sException>().With.Message.Contains("by the app's key"));
    }

    [Test]
    public async Task Should_refuse_a_signed_image_that_was_copied_to_another_name()
    {
        using var client = Registries.Open(_server.Connection);
        var digest = ImageReference.Parse(_image).Digest!;
        var manifest = (await client.FindManifestAsync("shop/api", digest.ToString(), default))!;
        foreach (var blob in manifest.Read().Layers.Append(manifest.Read().Config))
        {
            await client.PushBlobAsync("shop/admin", blob, (await client.FindBlobAsync("shop/api", blob, default))!, default);
        }

        await client.PushManifestAsync("shop/admin", digest.ToString(), manifest.Bytes, manifest.MediaType, default);
        await client.PushSignatureAsync("shop/admin", digest, (await client.ReadSignaturesAsync("shop/api", digest, default))[0], PublicKey.Read(_app.Environment.SigningKey.PublicKey), default);

        Assert.That(() => _app.CheckAsync($"{_app.RepositoryOf("admin")}@{digest}"), Throws.TypeOf<K3sException>().With.Message.Contains("for this image"));
    }
}

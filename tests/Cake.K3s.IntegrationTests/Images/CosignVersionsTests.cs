using System.Collections.Immutable;
using System.Text.Json;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>What was signed and pushed, looked at by real cosign of both major versions; cosign 2 reads the legacy form alone.</summary>
[TestFixture(2, SignatureForm.Legacy)]
[TestFixture(3, SignatureForm.Legacy)]
[TestFixture(3, SignatureForm.Bundle)]
[Parallelizable(ParallelScope.Self)]
internal sealed class CosignVersionsTests(int major, SignatureForm form)
{
    private RegistryServer _server;
    private RegistryClient _client;
    private App _app;
    private Digest _api;
    private Digest _newer;
    private Digest _admin;

    [OneTimeSetUp]
    public async Task PushAsync()
    {
        var toolbox = major == 3 ? ExternalTools.WithCosign3 : ExternalTools.Toolbox;
        var cosign = await ExternalTools.RequireAsync(Cake.K3s.Tools.ToolName.Cosign, toolbox);
        TestContext.Out.WriteLine($"cosign {major} is {cosign.Path}, from {cosign.Source}");
        _server = await RegistryServer.StartAsync();
        _client = Registries.Open(_server.Connection);
        _app = await App.CreateAsync(_server.Connection, toolbox, "api", "admin");
        _app.Environment = _app.Environment with { SigningKey = _app.Environment.SigningKey with { Form = form } };
        await _app.MakeKeyPairAsync("other");
        _api = _app.WriteBuild("api", "1", 1000);
        _admin = _app.WriteBuild("admin", "1", 2000);
        foreach (var files in _app.Artifacts("api").Attestations.Take(1))
        {
            await File.WriteAllTextAsync(files.Predicate, """{"buildDefinition":{"buildType":"test"},"runDetails":{"builder":{"id":"test"}}}""");
        }

        await _app.SignAsync();
        await _app.PushAsync();
        _newer = _app.WriteBuild("api", "2", 3000);
        await _app.SignAsync();
        await _app.PushAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _client?.Dispose();
        _app?.Dispose();
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_satisfy_cosign_by_digest_and_by_tag_When_pushed()
    {
        foreach (var reference in new[] { $"@{_api}", ":key-1" })
        {
            var verified = await _app.CosignVerifyAsync(_app.RepositoryOf("api") + reference);
            Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
        }
    }

    [Test]
    public async Task Should_satisfy_cosign_When_it_is_asked_for_the_attestation()
    {
        var verified = await _app.CosignVerifyAttestationAsync($"{_app.RepositoryOf("api")}@{_api}", "slsaprovenance1");

        Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
    }

    [Test]
    public async Task Should_fail_When_the_key_is_another() => await RefuseAsync($"{_app.RepositoryOf("api")}@{_api}", "other.pub");

    [Test]
    public async Task Should_fail_When_a_tag_was_moved_to_an_image_that_is_signed_for_another_key()
    {
        await RetagAsync("api", _newer, "moved");
        var image = $"{_app.RepositoryOf("api")}:moved";

        await RefuseAsync(image, "cosign.pub", "-a", $"{ImageSignature.ContentKeyAnnotation}=1");
        var verified = await _app.CosignVerifyAsync(image, "cosign.pub", "-a", $"{ImageSignature.ContentKeyAnnotation}=2");
        Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
    }

    [Test]
    public async Task Should_fail_When_the_manifest_was_modified_and_given_the_signature_of_the_true_one()
    {
        var manifest = (await _client.FindManifestAsync("shop/api", _api.ToString(), default))!.Read();
        ImmutableArray<byte> bytes = [.. JsonSerializer.SerializeToUtf8Bytes(manifest with { Annotations = ImmutableDictionary<string, string>.Empty.Add("by", "mallory") }, OciJson.Default.OciManifest)];
        await _client.PushManifestAsync("shop/api", "modified", bytes, MediaTypes.Manifest, default);
        await RefuseAsync($"{_app.RepositoryOf("api")}:modified");

        await GiveSignatureAsync("shop/api", Digest.Of(bytes.AsSpan()), "shop/api", _api);

        await RefuseAsync($"{_app.RepositoryOf("api")}:modified");
    }

    [Test]
    public async Task Should_fail_When_the_signature_is_that_of_another_repositorys_image()
    {
        var manifest = (await _client.FindManifestAsync("shop/admin", _admin.ToString(), default))!.Read();
        ImmutableArray<byte> bytes = [.. JsonSerializer.SerializeToUtf8Bytes(manifest with { Layers = [] }, OciJson.Default.OciManifest)];
        await _client.PushManifestAsync("shop/admin", "unsigned", bytes, MediaTypes.Manifest, default);
        await GiveSignatureAsync("shop/admin", Digest.Of(bytes.AsSpan()), "shop/api", _api);

        await RefuseAsync($"{_app.RepositoryOf("admin")}:unsigned");
        Assert.That(await _client.IsSignedAsync("shop/admin", Digest.Of(bytes.AsSpan()), [Key], default), Is.False);
    }

    [Test]
    public async Task Should_have_signatures_of_one_form_alone_When_pushed()
    {
        var signatures = await _client.ReadSignaturesAsync("shop/api", _api, default);
        var legacy = await _client.FindDigestAsync("shop/api", LegacySignature.TagOf(_api), default);
        var bundles = await _client.ReferrersAsync("shop/api", _api, default);

        Assert.That(signatures.Select(signature => signature.Form), Is.EqualTo(new[] { form }));
        Assert.That((legacy is not null, bundles.Manifests.Length), Is.EqualTo((form == SignatureForm.Legacy, form == SignatureForm.Legacy ? 0 : 2)));
    }

    [Test]
    public async Task Should_keep_the_form_that_an_image_has_When_the_setting_is_changed()
    {
        using var app = await App.CreateAsync(_server.Connection with { Prefix = "changed" }, _app.Toolbox, "api");
        app.Environment = app.Environment with { SigningKey = app.Environment.SigningKey with { Form = form } };
        var digest = app.WriteBuild("api", "1", 1000);
        await app.SignAsync();
        await app.PushAsync();
        var other = form == SignatureForm.Legacy ? SignatureForm.Bundle : SignatureForm.Legacy;
        app.Environment = app.Environment with { SigningKey = app.Environment.SigningKey with { Form = other } };

        await app.SignAsync();
        await app.PushAsync();

        Assert.That((await _client.ReadSignaturesAsync("changed/api", digest, default)).Select(signature => signature.Form), Is.EqualTo(new[] { form }));
        Assert.That((await _client.ReferrersAsync("changed/api", digest, default)).Manifests, form == SignatureForm.Legacy ? Is.Empty : Is.Not.Empty);
        Assert.That(await _client.FindDigestAsync("changed/api", LegacySignature.TagOf(digest), default), form == SignatureForm.Legacy ? Is.Not.Null : Is.Null);
    }

    [Test]
    public async Task Should_satisfy_cosign_with_both_keys_here_and_in_the_mirror_When_the_key_was_rotated()
    {
        using var app = await App.CreateAsync(_server.Connection with { Prefix = "rotated" }, _app.Toolbox, "api");
        app.Environment = app.Environment with { SigningKey = app.Environment.SigningKey with { Form = form } };
        var digest = app.WriteBuild("api", "1", 1000);
        await app.SignAsync();
        await app.PushAsync();
        File.Move(app.Files.File("cosign.pub"), app.Files.File("cosign.previous.pub"));
        File.Delete(app.Files.File("cosign.key"));
        await app.MakeKeyPairAsync("cosign");

        app.Artifacts("api").Write(app.Artifacts("api").ReadBuild() with { InRegistry = true, NeedsNewSignature = true, Form = form });
        await app.SignAsync();
        await app.PushAsync();
        var address = $"http://{_server.Host}/mirrored";
        await new ImageMirror(new(app.Run.Options with { Mirror = address }, app.Settings, app.Environment), Registries.Clients(), app.Reporter).MirrorAsync();

        foreach (var repository in new[] { "rotated", "mirrored" })
        {
            foreach (var key in new[] { "cosign.pub", "cosign.previous.pub" })
            {
                var verified = await app.CosignVerifyAsync($"{_server.Host}/{repository}/api@{digest}", key);
                Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
            }
        }
    }

    private PublicKey Key => PublicKey.Read(_app.Environment.SigningKey.PublicKey);

    private async Task RefuseAsync(string image, string key = "cosign.pub", params string[] more) =>
        Assert.That((await _app.CosignVerifyAsync(image, key, more)).ExitCode, Is.Not.Zero);

    private async Task RetagAsync(string image, Digest digest, string tag)
    {
        var manifest = (await _client.FindManifestAsync("shop/" + image, digest.ToString(), default))!;
        await _client.PushManifestAsync("shop/" + image, tag, manifest.Bytes, manifest.MediaType, default);
    }

    private async Task GiveSignatureAsync(string repository, Digest digest, string fromRepository, Digest from)
    {
        foreach (var signature in await _client.ReadSignaturesAsync(fromRepository, from, default))
        {
            await _client.PushSignatureAsync(repository, digest, signature, Key, default);
        }
    }
}

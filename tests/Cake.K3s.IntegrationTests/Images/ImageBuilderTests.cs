using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Settings;
using LibGit2Sharp;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>BuildImage with real buildx, engine, cosign and registry.</summary>
internal sealed class ImageBuilderTests
{
    private const string Dockerfile = """
        FROM scratch
        ARG GREETING=hello
        COPY . /
        LABEL greeting=$GREETING

        """;

    private BuildEngine _engine;
    private RegistryServer _server;
    private App _app;

    [OneTimeSetUp]
    public async Task StartEngineAsync() => _engine = await BuildEngine.StartAsync();

    [OneTimeTearDown]
    public async Task StopEngineAsync() => await (_engine?.DisposeAsync() ?? default);

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _app = await App.CreateAsync(_server.Connection, "api", "worker");
        _app.Environment = _app.Environment with { Builder = new(_engine.Address, null) };
        foreach (var image in _app.Settings.Images.Keys)
        {
            _app.Files.Write($"{image}/Dockerfile", Dockerfile);
            _app.Files.Write($"{image}/{image}.txt", $"This is {image}.\n");
        }
    }

    [TearDown]
    public async Task StopAsync()
    {
        _app?.Dispose();
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_leave_an_archive_for_amd64_with_the_recorded_digest_When_built()
    {
        await _app.BuildAsync();

        var archive = OciArchive.Open(_app.Artifacts("api").Archive);
        Assert.That(archive.Config.Platform.ToString(), Is.EqualTo("linux/amd64"));
        Assert.That(_app.Artifacts("api").ReadBuild().Digest, Is.EqualTo(archive.Digest));
        Assert.That(archive.Config.Config?.Labels, Contains.Key("io.cake-k3s.content-key"));
    }

    [Test]
    public async Task Should_build_sign_and_push_nothing_When_nothing_changed()
    {
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
        var first = _app.Artifacts("api").FindPush();
        File.Delete(_app.Artifacts("api").Archive);
        _app.Reporter.Events.Clear();

        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();

        Assert.That(File.Exists(_app.Artifacts("api").Archive), Is.False);
        Assert.That(_app.Artifacts("api").FindPush()?.Digest, Is.EqualTo(first?.Digest));
        Assert.That(_app.Reporter.Lines, Has.Some.Contains("api: not built: nothing changed").And.Some.Contains("api: not signed").And.Some.Contains("api: not pushed"));
    }

    [Test]
    public async Task Should_build_that_image_alone_When_one_of_its_files_changed()
    {
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
        _app.Files.Write("api/api.txt", "changed");

        await _app.BuildAsync();

        Assert.That(_app.Artifacts("api").ReadBuild().InRegistry, Is.False);
        Assert.That(_app.Artifacts("worker").ReadBuild().InRegistry, Is.True);
    }

    [Test]
    public async Task Should_build_all_the_same_When_a_rebuild_is_asked_for()
    {
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
        _app.Rebuild = true;

        await _app.BuildAsync();

        Assert.That(_app.Artifacts("api").ReadBuild().InRegistry, Is.False);
    }

    [Test]
    public async Task Should_build_again_When_the_registrys_image_has_no_signature_by_the_key()
    {
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
        await _app.MakeKeyPairAsync("other");
        _app.Environment = _app.Environment with { SigningKey = _app.Environment.SigningKey with { PublicKey = _app.Files.File("other.pub"), PrivateKey = _app.Files.File("other.key") } };

        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();

        Assert.That((await _app.CosignVerifyAsync($"{_app.RepositoryOf("api")}@{_app.Artifacts("api").ReadBuild().Digest}", "other.pub")).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Should_go_on_with_the_archive_When_it_was_built_and_not_pushed()
    {
        await _app.BuildAsync();
        var written = File.GetLastWriteTimeUtc(_app.Artifacts("api").Archive);

        await _app.BuildAsync();

        Assert.That(File.GetLastWriteTimeUtc(_app.Artifacts("api").Archive), Is.EqualTo(written));
        Assert.That(_app.Reporter.Lines, Has.Some.Contains("api: not built: nothing changed since the last build"));
    }

    [Test]
    public async Task Should_give_the_same_digest_When_the_same_commit_is_built_in_two_checkouts()
    {
        using var other = await App.CreateAsync(_server.Connection, "api", "worker");
        other.Environment = _app.Environment with { SigningKey = other.Environment.SigningKey };
        Commit(_app.Root);
        Repository.Clone(_app.Root, Path.Combine(other.Root, "clone"));
        foreach (var image in _app.Settings.Images.Keys)
        {
            Directory.Move(Path.Combine(other.Root, "clone", image), Path.Combine(other.Root, image));
        }

        Directory.Move(Path.Combine(other.Root, "clone", ".git"), Path.Combine(other.Root, ".git"));
        await _app.BuildAsync();
        await other.BuildAsync();

        Assert.That(other.Artifacts("api").ReadBuild().Digest, Is.EqualTo(_app.Artifacts("api").ReadBuild().Digest));
        Assert.That(OciArchive.Open(other.Artifacts("api").Archive).Config.Created, Is.EqualTo(other.Artifacts("api").ReadBuild().CommitTime));
    }

    [Test]
    public void Should_show_the_builders_own_message_and_the_lines_of_the_Dockerfile_When_a_step_fails()
    {
        _app.Files.Write("api/Dockerfile", "FROM scratch\nCOPY missing /\n");

        Assert.That(
            _app.BuildAsync,
            Throws.TypeOf<K3sException>()
                .With.Property(nameof(K3sException.Summary)).Contains("image api did not build").And.Message.Contains("\"/missing\": not found")
                .And.Message.Contains(">>> COPY missing /"));
        Assert.That(File.ReadAllText(_app.Artifacts("api").Log), Does.Contain("missing"));
    }

    [Test]
    public async Task Should_build_what_prepare_made_and_key_what_it_started_from_When_there_is_a_prepare_command()
    {
        using var app = await App.CreateAsync(_server.Connection, "web");
        app.Environment = _app.Environment;
        app.Files.Write("web/source.txt", "source");
        app.Files.Write("web/.dockerignore", "*\n!out\n");
        app.Files.Write("web/Dockerfile", "FROM scratch\nCOPY out/ /\n");
        app.Files.Write(".gitignore", "out/\n*.key\nartifacts/\n");
        app.Settings = app.Settings with { Images = app.Settings.Images.SetItem("web", new ImageSettings { Context = "web", Prepare = "mkdir -p out; cp source.txt out/made.txt" }) };
        Commit(app.Root);

        await app.BuildAsync();
        var first = app.Artifacts("web").ReadBuild();
        await app.BuildAsync();
        Assert.That(app.Artifacts("web").ReadBuild().ContentKey, Is.EqualTo(first.ContentKey));

        app.Files.Write("web/source.txt", "changed");
        await app.BuildAsync();
        Assert.That(app.Artifacts("web").ReadBuild().ContentKey, Is.Not.EqualTo(first.ContentKey));
        Assert.That(app.Artifacts("web").ReadBuild().Digest, Is.Not.EqualTo(first.Digest));
    }

    [Test]
    public async Task Should_give_secrets_to_the_build_and_leave_them_in_no_image_log_or_argument_When_it_has_any()
    {
        const string Token = "s3cr3t-of-the-build";
        _app.Variables["NPM_TOKEN"] = Token;
        var image = _app.Settings.Images["api"] with { Secrets = ImmutableDictionary<string, SecretSource>.Empty.Add("npm_token", new() { Variable = "NPM_TOKEN" }) };
        _app.Settings = _app.Settings with { Images = ImmutableDictionary<string, ImageSettings>.Empty.Add("api", image) };
        using var client = Registries.Open(_server.Connection);
        var shell = await ShellImage.MakeAsync(ExternalTools.Packages);
        await shell.PushAsync(client, "shell");
        _app.Files.Write(
            "api/Dockerfile",
            $"FROM {_server.Host}/shell@{shell.Digest}\nRUN --mount=type=secret,id=npm_token cat /run/secrets/npm_token && wc -c < /run/secrets/npm_token > /length\n");
        await using var watch = new CommandLineWatch();

        await _app.BuildAsync();

        var archive = OciArchive.Open(_app.Artifacts("api").Archive);
        var layers = archive.Manifest.Layers.Select(layer => Unpacked(archive, layer)).ToList();
        Assert.That(layers, Has.Some.Contains($"\n{Token.Length}\n").Or.Some.Contains($"{Token.Length}\n"), "the build did not see the secret");
        Assert.That(layers, Has.None.Contains(Token));
        Assert.That(File.ReadAllText(_app.Artifacts("api").Log), Does.Not.Contain(Token));
        Assert.That(_app.Reporter.Lines, Has.None.Contains(Token));
        Assert.That(watch.Seen, Has.Some.Contains("--secret id=npm_token,env=").And.None.Contains(Token));
    }

    [Test]
    public async Task Should_keep_the_builds_cache_in_the_registry_When_one_is_named()
    {
        _app.Environment = _app.Environment with { Registry = _app.Environment.Registry with { Cache = _app.RepositoryOf("cache") } };

        await _app.BuildAsync();

        using var client = Registries.Open(_server.Connection);
        Assert.That(await client.FindDigestAsync("shop/cache", "api", default), Is.Not.Null);
        Assert.That(await client.FindDigestAsync("shop/cache", "worker", default), Is.Not.Null);
    }

    [Test]
    public async Task Should_build_again_When_the_keys_tag_was_moved_to_an_older_image_that_is_signed_too()
    {
        await BuildAndPushAsync();
        var old = _app.Artifacts("api").ReadBuild();
        _app.Files.Write("api/api.txt", "mended");
        await BuildAndPushAsync();
        var mended = _app.Artifacts("api").ReadBuild();
        using var client = Registries.Open(_server.Connection);
        var manifest = (await client.FindManifestAsync("shop/api", old.Digest.ToString(), default))!;
        await client.PushManifestAsync("shop/api", ContentKey.TagOf(mended.ContentKey), manifest.Bytes, manifest.MediaType, default);
        Assert.That(() => _app.InspectAsync($"{_app.RepositoryOf("api")}:{ContentKey.TagOf(mended.ContentKey)}"), Throws.TypeOf<K3sException>().With.Message.Contains("was moved"));

        await BuildAndPushAsync();

        Assert.That(_app.Artifacts("api").FindPush()!.Digest, Is.EqualTo(mended.Digest));
        Assert.That(await client.FindDigestAsync("shop/api", ContentKey.TagOf(mended.ContentKey), default), Is.EqualTo(mended.Digest));
    }

    private async Task BuildAndPushAsync()
    {
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
    }

    private static string Unpacked(OciArchive archive, OciDescriptor layer)
    {
        using var packed = archive.OpenBlob(layer, 0, layer.Size);
        using var tar = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(tar, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    [Test]
    public async Task Should_pass_the_environments_build_arguments_When_it_has_any()
    {
        _app.Environment = _app.Environment with
        {
            BuildArguments = ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty.Add("api", ImmutableDictionary<string, string>.Empty.Add("GREETING", "bonjour")),
        };

        await _app.BuildAsync();

        Assert.That(OciArchive.Open(_app.Artifacts("api").Archive).Config.Config?.Labels?["greeting"], Is.EqualTo("bonjour"));
        Assert.That(OciArchive.Open(_app.Artifacts("worker").Archive).Config.Config?.Labels?["greeting"], Is.EqualTo("hello"));
    }

    [Test]
    public async Task Should_build_on_the_pinned_base_image_When_its_tag_has_moved()
    {
        using var client = Registries.Open(_server.Connection);
        var pinned = await PushBaseAsync(client, "old");
        await PushBaseAsync(client, "new");
        _app.Files.Write("api/Dockerfile", $"FROM {_server.Host}/base:1\nCOPY . /\n");
        _app.Files.Write("images.lock", $"{_server.Host}/base:1 {pinned}\n");

        await _app.BuildAsync();

        Assert.That(OciArchive.Open(_app.Artifacts("api").Archive).Config.Config?.Labels?["base"], Is.EqualTo("old"));
    }

    [Test]
    public async Task Should_write_what_the_tags_name_now_When_the_lock_is_refreshed()
    {
        using var client = Registries.Open(_server.Connection);
        _app.Settings = _app.Settings with
        {
            Environments = _app.Settings.Environments.SetItem("test", new() { Registry = new() { Address = $"{_server.Host}/shop", Insecure = true } }),
        };
        await PushBaseAsync(client, "old");
        var now = await PushBaseAsync(client, "new");
        _app.Files.Write("api/Dockerfile", $"FROM {_server.Host}/base:1\nCOPY . /\n");

        await new BaseImageRefresh(_app.Run, Registries.Clients(), new(_ => null), _app.Reporter).RefreshAsync();

        Assert.That(BaseImageLock.Read(_app.Files.File("images.lock")).PinOf($"{_server.Host}/base:1"), Is.EqualTo($"{_server.Host}/base@{now}"));
    }

    [Test]
    public async Task Should_satisfy_cosign_and_tell_who_what_and_when_When_an_image_is_attested()
    {
        _app.Files.Write("api/package-lock.json", """{"packages":{"node_modules/next":{"version":"15.1.0"}}}""");
        _app.Files.Write("api/var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nVersion: 2.41-12\n");
        Commit(_app.Root);
        await _app.BuildAsync();
        await _app.SignAsync();
        await _app.PushAsync();
        var image = $"{_app.RepositoryOf("api")}@{_app.Artifacts("api").ReadBuild().Digest}";

        foreach (var type in new[] { "slsaprovenance1", "spdxjson" })
        {
            var verified = await _app.CosignVerifyAttestationAsync(image, type);
            Assert.That(verified.ExitCode, Is.Zero, verified.StandardError);
        }

        await _app.InspectAsync("api");
        Assert.That(_app.Reporter.Lines, Has.Some.Contains($"signed by cosign.pub").And.Some.Contains($"commit {_app.Artifacts("api").ReadBuild().Commit}").And.Some.Contains("holds 1 deb, 1 npm"));
    }

    [Test]
    public async Task Should_refuse_to_tell_about_an_image_When_it_is_not_signed()
    {
        using var client = Registries.Open(_server.Connection);
        await PushBaseAsync(client, "unsigned");

        Assert.That(() => _app.InspectAsync($"{_server.Host}/base:1"), Throws.TypeOf<K3sException>().With.Message.Contains("is not signed by"));
    }

    private static async Task<Digest> PushBaseAsync(RegistryClient client, string label)
    {
        using var empty = new MemoryStream();
        using (var tar = new System.Formats.Tar.TarWriter(empty, leaveOpen: true))
        {
            tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, label) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(label)) });
        }

        var layer = OciDescriptor.Of("application/vnd.oci.image.layer.v1.tar", empty.ToArray());
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","config":{"Labels":{"base":"{{{label}}}"}},"rootfs":{"type":"layers","diff_ids":["{{{layer.Digest}}}"]}}""");
        var descriptor = OciDescriptor.Of(MediaTypes.Config, config);
        await client.PushBlobAsync("base", layer, empty.ToArray(), default);
        await client.PushBlobAsync("base", descriptor, config, default);
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(new OciManifest { Config = descriptor, Layers = [layer] }, OciJson.Default.OciManifest);
        await client.PushManifestAsync("base", Digest.Of(manifest).ToString(), [.. manifest], MediaTypes.Manifest, default);
        await client.PushManifestAsync("base", "1", [.. manifest], MediaTypes.Manifest, default);
        return Digest.Of(manifest);
    }

    private static void Commit(string root)
    {
        using var repository = new Repository(Repository.Init(root));
        Commands.Stage(repository, Everything);
        var author = new Signature("Tess", "tess@example.com", new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero));
        repository.Commit("first", author, author);
    }

    private static readonly string[] Everything = ["*/*", ".gitignore"];
}

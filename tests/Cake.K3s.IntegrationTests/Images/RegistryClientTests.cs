using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Images;

/// <summary>The client against the real distribution registry, with and without faults on the way.</summary>
internal sealed class RegistryClientTests
{
    private const string Repository = "shop/api";

    private RegistryServer _server;
    private RegistryProxy _proxy;
    private RegistryClient _client;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await RegistryServer.StartAsync();
        _proxy = await RegistryProxy.StartAsync(_server);
        _client = Registries.Open(_proxy.Connection);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client?.Dispose();
        await (_proxy?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_give_back_the_exact_bytes_When_a_manifest_was_pushed_by_digest()
    {
        var bytes = await PushImageAsync("by digest");

        var found = await _client.FindManifestAsync(Repository, Digest.Of(bytes.AsSpan()).ToString(), default);

        Assert.That(found?.Bytes, Is.EqualTo(bytes));
        Assert.That(found?.MediaType, Is.EqualTo(MediaTypes.Manifest));
    }

    [Test]
    public async Task Should_find_nothing_When_there_is_no_such_tag()
    {
        Assert.That(await _client.FindDigestAsync(Repository, "none", default), Is.Null);
        Assert.That(await _client.FindManifestAsync(Repository, "none", default), Is.Null);
    }

    [Test]
    public async Task Should_not_send_a_blob_again_When_the_registry_has_it()
    {
        var (blob, bytes) = RandomBlob(1000);
        var first = await _client.PushBlobAsync(Repository, blob, bytes, default);
        var second = await _client.PushBlobAsync(Repository, blob, bytes, default);

        Assert.That((first, second), Is.EqualTo((1000, 0)));
    }

    [Test]
    public async Task Should_mount_a_blob_When_another_repository_has_it()
    {
        var (blob, bytes) = RandomBlob(1000);
        await _client.PushBlobAsync("shop/other", blob, bytes, default);

        var sent = await _client.PushBlobAsync(Repository, blob, (_, _) => throw new AssertionException("opened"), "shop/other", default);

        Assert.That(sent, Is.Zero);
        Assert.That(await _client.HasBlobAsync(Repository, blob.Digest, default), Is.True);
    }

    [Test]
    public async Task Should_upload_a_blob_whole_When_it_is_sent_in_chunks()
    {
        var (blob, bytes) = RandomBlob(250_000);
        using var client = SmallChunks();

        await client.PushBlobAsync(Repository, blob, bytes, default);

        Assert.That(await client.FindBlobAsync(Repository, blob, default), Is.EqualTo(bytes));
    }

    [Test]
    public async Task Should_upload_a_blob_whole_When_the_connection_is_cut_in_half_of_it([Values(60_000, 10_000_000)] int chunkSize)
    {
        var (blob, bytes) = RandomBlob(200_000);
        using var client = SmallChunks(chunkSize);
        var cuts = 0;
        _proxy.CutBodyAfter = context => context.Request.ContentLength > 30_000 && cuts++ == 1 - (chunkSize / 10_000_000) ? context.Request.ContentLength / 2 : null;

        await client.PushBlobAsync(Repository, blob, bytes, default);

        Assert.That(cuts, Is.GreaterThan(1));
        Assert.That(await _client.FindBlobAsync(Repository, blob, default), Is.EqualTo(bytes));
    }

    [Test]
    public async Task Should_succeed_When_every_third_request_answers_500()
    {
        _proxy.Fault = (context, number) => Task.FromResult(number % 3 == 0 && Fail(context, 500));

        var bytes = await PushImageAsync("every third", _client);
        await _client.PushManifestAsync(Repository, "v1", bytes, MediaTypes.Manifest, default);

        Assert.That(await _client.FindDigestAsync(Repository, "v1", default), Is.EqualTo(Digest.Of(bytes.AsSpan())));
    }

    [Test]
    public void Should_fail_with_the_status_and_a_next_step_When_every_request_answers_503()
    {
        _proxy.Fault = (context, _) => Task.FromResult(Fail(context, 503));

        Assert.That(
            async () => await _client.FindDigestAsync(Repository, "v1", default),
            Throws.TypeOf<K3sException>().With.Message.Contains("503").And.Property(nameof(K3sException.NextStep)).Not.Null);
        Assert.That(_proxy.Requests, Has.Count.EqualTo(5));
    }

    [TestCase(403, "right to write")]
    [TestCase(413, "client_max_body_size")]
    public void Should_say_what_to_do_and_not_try_again_When_the_registry_refuses(int status, string next)
    {
        var (blob, bytes) = RandomBlob(1000);
        _proxy.Fault = (context, _) => Task.FromResult(context.Request.Method != "HEAD" && Fail(context, status));

        Assert.That(
            async () => await _client.PushBlobAsync(Repository, blob, bytes, default),
            Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.NextStep)).Contains(next));
        Assert.That(_proxy.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public void Should_say_that_the_disk_is_full_at_once_When_it_is()
    {
        var (blob, bytes) = RandomBlob(1000);
        _proxy.Fault = async (context, _) =>
        {
            if (context.Request.Method != "PUT")
            {
                return false;
            }

            context.Response.StatusCode = 500;
            await context.Response.WriteAsync("""{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/x","Err":28}}}]}""");
            return true;
        };

        Assert.That(async () => await _client.PushBlobAsync(Repository, blob, bytes, default), Throws.TypeOf<K3sException>().With.Message.Contains("its disk is full"));
        Assert.That(_proxy.Requests.Count(request => request.StartsWith("PUT", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task Should_list_all_tags_When_they_come_in_pages()
    {
        var bytes = await PushImageAsync("tags");
        string[] tags = [.. Enumerable.Range(0, 7).Select(i => $"t{i}")];
        foreach (var tag in tags)
        {
            await _client.PushManifestAsync(Repository, tag, bytes, MediaTypes.Manifest, default);
        }

        _proxy.Fault = (context, _) =>
        {
            // The page size is the registry's to lower.
            if (context.Request.Path.Value!.EndsWith("/tags/list", StringComparison.Ordinal))
            {
                context.Request.QueryString = new(context.Request.QueryString.Value!.Replace("n=1000", "n=3", StringComparison.Ordinal));
            }

            return Task.FromResult(false);
        };
        var listed = new List<string>();
        await foreach (var tag in _client.TagsAsync(Repository, default))
        {
            listed.Add(tag);
        }

        Assert.That(listed, Is.EquivalentTo(tags));
    }

    [Test]
    public async Task Should_remove_manifest_and_tags_When_deleted()
    {
        var bytes = await PushImageAsync("deleted");
        await _client.PushManifestAsync(Repository, "v1", bytes, MediaTypes.Manifest, default);

        await _client.DeleteManifestAsync(Repository, Digest.Of(bytes.AsSpan()), default);

        Assert.That(await _client.FindDigestAsync(Repository, "v1", default), Is.Null);
    }

    [Test]
    public async Task Should_log_in_with_the_password_of_Dockers_configuration_When_the_registry_wants_one()
    {
        await using var server = await RegistryServer.StartWithPasswordAsync();
        server.LogIn();
        using var client = Registries.Open(server.Connection);

        Assert.That(await client.FindDigestAsync(Repository, "none", default), Is.Null);
    }

    [Test]
    public async Task Should_name_the_login_command_and_no_password_When_the_password_is_wrong()
    {
        await using var server = await RegistryServer.StartWithPasswordAsync();
        server.LogIn(password: "wrong-password");
        using var client = Registries.Open(server.Connection);

        Assert.That(
            async () => await client.FindDigestAsync(Repository, "none", default),
            Throws.TypeOf<K3sException>().With.Message.Contains($"docker login {server.Host}").And.Message.Not.Contains("wrong-password"));
    }

    private static bool Fail(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return true;
    }

    private static (OciDescriptor Blob, byte[] Bytes) RandomBlob(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        return (OciDescriptor.Of("application/octet-stream", bytes), bytes);
    }

    private RegistryClient SmallChunks(int size = 100_000) => Registries.Clients().Open(_proxy.Connection, size);

    private Task<ImmutableArray<byte>> PushImageAsync(string content) => PushImageAsync(content, _client);

    private static async Task<ImmutableArray<byte>> PushImageAsync(string content, RegistryClient client)
    {
        var config = Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","comment":"{{content}}"}""");
        var descriptor = OciDescriptor.Of(MediaTypes.Config, config);
        await client.PushBlobAsync(Repository, descriptor, config, default);
        var bytes = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new OciManifest { Config = descriptor, Layers = [] }, OciJson.Default.OciManifest).ToImmutableArray();
        await client.PushManifestAsync(Repository, Digest.Of(bytes.AsSpan()).ToString(), bytes, MediaTypes.Manifest, default);
        return bytes;
    }
}

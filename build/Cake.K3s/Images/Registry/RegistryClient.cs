using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images.Registry;

/// <summary>A manifest as a registry holds it.</summary>
/// <param name="Digest">The digest of <paramref name="Bytes"/>, computed here and not taken from the registry.</param>
/// <param name="MediaType">What the registry says it is.</param>
/// <param name="Bytes">The exact bytes.</param>
internal sealed record RegistryManifest(Digest Digest, string MediaType, ImmutableArray<byte> Bytes)
{
    /// <summary>The manifest of one image.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public OciManifest Read() => JsonSerializer.Deserialize(Bytes.AsSpan(), OciJson.Default.OciManifest) ?? throw new JsonException("the manifest is empty");

    /// <summary>The list of manifests.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public OciIndex ReadIndex() => JsonSerializer.Deserialize(Bytes.AsSpan(), OciJson.Default.OciIndex) ?? throw new JsonException("the index is empty");
}

/// <summary>
/// A client of one registry (OCI distribution spec 1.1). Repositories are named without the host. A method returns null for
/// what is not there and throws <see cref="K3sException"/> for every other answer but success. Safe to use from many threads.
/// </summary>
internal sealed class RegistryClient(HttpClient http, RegistryTransport transport, long chunkSize) : IDisposable
{
    // Below the 100 MB that Cloudflare's free plan takes in one request, and large enough that the round trips do not count.
    public const long DefaultChunkSize = 64 << 20;

    // Manifests are read into memory; the distribution registry itself takes no larger ones.
    private const long MaxManifestSize = 4 << 20;

    /// <summary>The registry's host and port.</summary>
    public string Host => transport.Host;

    /// <summary>The registry's time at its last answer; null where it does not tell it.</summary>
    public DateTimeOffset? ServerTime => transport.ServerTime;

    /// <summary>Makes sure that this user may push to a repository: begins an upload and gives it up. Nothing is left of it.</summary>
    public async Task CheckPushAsync(string repository, CancellationToken cancellationToken)
    {
        var doing = $"take an upload to {repository}";
        using var begun = await transport.SendAsync(
            new(HttpMethod.Post, new($"v2/{repository}/blobs/uploads/", UriKind.Relative), RegistryScope.Push(repository), doing)
            {
                Expected = [HttpStatusCode.Accepted],
            },
            cancellationToken);
        if (begun.Headers.Location is not { } upload)
        {
            return;
        }

        // Where giving up is not offered, the registry forgets the upload by itself.
        using var ended = await transport.SendOnceAsync(
            new(HttpMethod.Delete, new Uri(begun.RequestMessage!.RequestUri!, upload), RegistryScope.Push(repository), doing),
            cancellationToken);
    }

    /// <summary>The digest that a tag names now; null if there is no such tag.</summary>
    public async Task<Digest?> FindDigestAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(Manifest(HttpMethod.Head, repository, reference, "look up"), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        return response.Headers.TryGetValues("Docker-Content-Digest", out var values) && Digest.TryParse(values.First()) is { } digest
            ? digest
            : (await FindManifestAsync(repository, reference, cancellationToken))?.Digest;
    }

    /// <summary>The manifest of a tag or digest; null if there is none. What was asked for by digest has that digest.</summary>
    public async Task<RegistryManifest?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(Manifest(HttpMethod.Get, repository, reference, "give"), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        var bytes = await ReadAsync(response, $"{repository} {reference}", MaxManifestSize, cancellationToken);
        var digest = Digest.Of(bytes);
        if (Digest.TryParse(reference) is { } wanted && wanted != digest)
        {
            throw Broken($"manifest {reference} of {repository} has the digest {digest}");
        }

        return new(digest, response.Content.Headers.ContentType?.MediaType ?? MediaTypes.Manifest, ImmutableCollectionsMarshal.AsImmutableArray(bytes));
    }

    /// <summary>Whether a repository holds a blob.</summary>
    public async Task<bool> HasBlobAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        // A registry whose disk was full has an empty link to the blob, and fails whenever it is asked; uploading again mends it.
        var request = Blob(HttpMethod.Head, repository, digest, "look up") with
        {
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.InternalServerError],
        };
        using var response = await transport.SendAsync(request, cancellationToken);
        return response.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>A small blob's bytes, checked against its digest; null if there is none.</summary>
    public async Task<byte[]?> FindBlobAsync(string repository, OciDescriptor blob, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(Blob(HttpMethod.Get, repository, blob.Digest, "give"), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        var bytes = await ReadAsync(response, $"blob {blob.Digest}", blob.Size, cancellationToken);
        return Digest.Of(bytes) == blob.Digest ? bytes : throw Broken($"blob {blob.Digest} of {repository} has another digest");
    }

    /// <summary>Copies a blob of any size into a stream; the caller checks its digest.</summary>
    public async Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(Blob(HttpMethod.Get, repository, digest, "give") with { Expected = [HttpStatusCode.OK] }, cancellationToken);
        await response.Content.CopyToAsync(destination, cancellationToken);
    }

    /// <summary>Makes sure that a repository holds a blob.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="open">Opens parts of it.</param>
    /// <param name="mountFrom">A repository that may hold it already; null for none.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The number of bytes that were sent.</returns>
    public async Task<long> PushBlobAsync(string repository, OciDescriptor blob, BlobSource open, string? mountFrom, CancellationToken cancellationToken) =>
        await HasBlobAsync(repository, blob.Digest, cancellationToken)
            ? 0
            : await new BlobUpload(transport, repository, blob, open, chunkSize).RunAsync(mountFrom, cancellationToken);

    /// <summary>Makes sure that a repository holds a blob that is in memory.</summary>
    public Task<long> PushBlobAsync(string repository, OciDescriptor blob, byte[] bytes, CancellationToken cancellationToken) =>
        PushBlobAsync(repository, blob, (offset, count) => new MemoryStream(bytes, (int)offset, (int)count), null, cancellationToken);

    /// <summary>Puts a manifest under its digest or a tag; a tag that exists is moved.</summary>
    /// <returns>Whether the registry lists it among what refers to its subject; false also for one without a subject.</returns>
    public async Task<bool> PushManifestAsync(string repository, string reference, ImmutableArray<byte> bytes, string mediaType, CancellationToken cancellationToken)
    {
        var request = Manifest(HttpMethod.Put, repository, reference, "take") with
        {
            Expected = [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.Accepted],
            Content = () => new ReadOnlyMemoryContent(bytes.AsMemory()) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } },
        };
        using var response = await transport.SendAsync(request with { Scope = RegistryScope.Push(repository) }, cancellationToken);
        return response.Headers.Contains("OCI-Subject");
    }

    /// <summary>Deletes a manifest; with it go all its tags. Nothing happens if it is not there.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DeleteManifestAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        var request = Manifest(HttpMethod.Delete, repository, digest.ToString(), "delete") with
        {
            Scope = RegistryScope.Delete(repository),
            Expected = [HttpStatusCode.Accepted, HttpStatusCode.OK, HttpStatusCode.NoContent, HttpStatusCode.NotFound],
        };
        using var response = await transport.SendAsync(request, cancellationToken);
    }

    /// <summary>All tags of a repository; none if there is no such repository.</summary>
    public async IAsyncEnumerable<string> TagsAsync(string repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var page = new Uri($"v2/{repository}/tags/list?n=1000", UriKind.Relative);
        while (true)
        {
            using var response = await transport.SendAsync(
                new(HttpMethod.Get, page, RegistryScope.Pull(repository), $"list the tags of {repository}") { Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound] },
                cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                yield break;
            }

            var list = JsonSerializer.Deserialize(await response.Content.ReadAsStreamAsync(cancellationToken), RegistryJson.Default.TagList);
            foreach (var tag in list?.Tags ?? [])
            {
                yield return tag;
            }

            if (NextPage(response) is not { } next)
            {
                yield break;
            }

            page = next;
        }
    }

    /// <summary>What refers to a manifest: from the referrers address, or from the fallback tag of a registry that has none (Gitea).</summary>
    public async Task<OciIndex> ReferrersAsync(string repository, Digest subject, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(
            new(HttpMethod.Get, new($"v2/{repository}/referrers/{subject}", UriKind.Relative), RegistryScope.Pull(repository), $"list what refers to {subject}")
            {
                Accept = [MediaTypes.Index],
                Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed],
            },
            cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            return JsonSerializer.Deserialize(await response.Content.ReadAsStreamAsync(cancellationToken), OciJson.Default.OciIndex) ?? new();
        }

        var fallback = await FindManifestAsync(repository, FallbackTagOf(subject), cancellationToken);
        return fallback is not null && MediaTypes.IsIndex(fallback.MediaType) ? fallback.ReadIndex() : new();
    }

    /// <summary>The tag of the index of what refers to a manifest, in a registry that keeps none itself (distribution spec, "Referrers tag schema").</summary>
    public static string FallbackTagOf(Digest subject) => "sha256-" + subject.Hex;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private RegistryRequest Manifest(HttpMethod method, string repository, string reference, string verb) =>
        new(method, new($"v2/{repository}/manifests/{reference}", UriKind.Relative), RegistryScope.Pull(repository), $"{verb} {repository}{(reference.Contains(':') ? "@" : ":")}{reference}")
        {
            Accept = MediaTypes.AnyManifest,
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
        };

    private static RegistryRequest Blob(HttpMethod method, string repository, Digest digest, string verb) =>
        new(method, new($"v2/{repository}/blobs/{digest}", UriKind.Relative), RegistryScope.Pull(repository), $"{verb} blob {digest} of {repository}")
        {
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
        };

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, string what, long limit, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > limit)
        {
            throw Broken($"{what} is larger than {limit} bytes");
        }

        await response.Content.LoadIntoBufferAsync(limit, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    private static Uri? NextPage(HttpResponseMessage response)
    {
        // Link: </v2/x/tags/list?last=b&n=2>; rel="next"
        if (!response.Headers.TryGetValues("Link", out var links) || links.FirstOrDefault(link => link.Contains("rel=\"next\"", StringComparison.Ordinal)) is not { } next)
        {
            return null;
        }

        var (start, end) = (next.IndexOf('<'), next.IndexOf('>'));
        return start >= 0 && end > start ? new(response.RequestMessage!.RequestUri!, next[(start + 1)..end]) : null;
    }

    private K3sException Broken(string why) => new(ExitCodes.Failed, $"registry {Host} gave wrong content: {why}", "Check that no proxy before it changes answers; a garbage collection of the registry may have to be run.");
}

/// <summary>A page of tags.</summary>
internal sealed record TagList(ImmutableArray<string>? Tags);

/// <summary>Reads these documents.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TagList))]
internal sealed partial class RegistryJson : JsonSerializerContext;

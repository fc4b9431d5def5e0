using System.Globalization;
using System.Net;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images.Registry;

/// <summary>Opens a part of a blob, anew each time.</summary>
/// <param name="offset">Where it starts, in bytes.</param>
/// <param name="count">Its length in bytes.</param>
internal delegate Stream BlobSource(long offset, long count);

/// <summary>
/// Uploads one blob in chunks and goes on where it was after a failure (OCI distribution spec, "Pushing a blob in chunks").
/// A registry that cannot go on (distribution 2.x forgets a cut-off chunk's session) is sent the blob from its start.
/// </summary>
internal sealed class BlobUpload(RegistryTransport transport, string repository, OciDescriptor blob, BlobSource open, long chunkSize)
{
    // A session that is lost this often will be lost again.
    private const int MaxSessions = 6;

    private const int BufferSize = 1 << 17;

    private static readonly TimeSpan ChunkTimeout = TimeSpan.FromMinutes(10);

    private readonly string _doing = $"take blob {blob.Digest} ({blob.Size} bytes) into {repository}";
    private Uri? _session;
    private int _sessions;
    private long _offset;
    private bool _uncertain;

    /// <summary>Uploads the blob.</summary>
    /// <param name="mountFrom">A repository of the same registry that may hold the blob; the registry then copies it itself. Null for none.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The number of bytes that were sent; 0 if the registry had the blob.</returns>
    public async Task<long> RunAsync(string? mountFrom, CancellationToken cancellationToken)
    {
        using (var started = await transport.SendAsync(Start(mountFrom), cancellationToken))
        {
            if (started.StatusCode == HttpStatusCode.Created)
            {
                return 0;
            }

            Take(started);
        }

        while (true)
        {
            using var answer = await transport.TryAsync(_doing, [HttpStatusCode.OK, HttpStatusCode.Created, HttpStatusCode.Accepted], NextAsync, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Accepted)
            {
                return blob.Size;
            }
        }
    }

    /// <summary>One step: finds out where the upload is if that is not known, then sends the next chunk.</summary>
    /// <returns>Accepted: there is more to send. Created or OK: the blob is there. Anything else: the failure.</returns>
    private async Task<HttpResponseMessage> NextAsync(CancellationToken cancellationToken)
    {
        if (_uncertain && await FindOutAsync(cancellationToken) is { } ended)
        {
            return ended;
        }

        var count = Math.Min(chunkSize, blob.Size - _offset);
        var last = _offset + count == blob.Size;
        _uncertain = true;
        var answer = await transport.SendOnceAsync(last ? Put(count) : Patch(count), cancellationToken);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.Accepted:
                _offset += count;
                Take(answer);
                _uncertain = false;
                return answer;
            case HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.RequestedRangeNotSatisfiable when _sessions < MaxSessions:
                // The session is gone or is elsewhere: ask, as after a cut connection.
                answer.Dispose();
                return await FindOutAsync(cancellationToken) ?? new(HttpStatusCode.Accepted);
            default:
                return answer;
        }
    }

    /// <summary>Sets offset and session to where the registry is.</summary>
    /// <returns>Null, or the answer that ends this step: the blob is there already, or the registry failed.</returns>
    private async Task<HttpResponseMessage?> FindOutAsync(CancellationToken cancellationToken)
    {
        var status = await transport.SendOnceAsync(new(HttpMethod.Get, _session!, Scope(null), _doing), cancellationToken);
        if (status.StatusCode >= HttpStatusCode.InternalServerError)
        {
            return status;
        }

        using (status)
        {
            if (status.StatusCode == HttpStatusCode.NoContent && status.Headers.TryGetValues("Range", out var range))
            {
                _offset = Received(range.First());
                Take(status);
                _uncertain = false;
                return null;
            }
        }

        // The session is gone: because the upload was complete and only its answer was lost, or because it cannot go on.
        var head = await transport.SendOnceAsync(new(HttpMethod.Head, new($"v2/{repository}/blobs/{blob.Digest}", UriKind.Relative), Scope(null), _doing), cancellationToken);
        if (head.StatusCode != HttpStatusCode.NotFound)
        {
            return head;
        }

        head.Dispose();
        if (_sessions >= MaxSessions)
        {
            return new(HttpStatusCode.Gone) { Content = new StringContent($"the registry forgot the upload {_sessions} times") };
        }

        var started = await transport.SendOnceAsync(Start(null), cancellationToken);
        if (started.StatusCode != HttpStatusCode.Accepted)
        {
            return started;
        }

        using (started)
        {
            _offset = 0;
            Take(started);
            _uncertain = false;
            return null;
        }
    }

    private RegistryRequest Start(string? mountFrom)
    {
        _sessions++;
        var query = mountFrom is null ? "" : $"?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(mountFrom)}";
        return new(HttpMethod.Post, new($"v2/{repository}/blobs/uploads/{query}", UriKind.Relative), Scope(mountFrom), _doing)
        {
            Expected = [HttpStatusCode.Accepted, HttpStatusCode.Created],
        };
    }

    private RegistryRequest Patch(long count) => new(HttpMethod.Patch, _session!, Scope(null), _doing)
    {
        Timeout = ChunkTimeout,
        Content = () => Chunk(count),
    };

    private RegistryRequest Put(long count)
    {
        var address = new UriBuilder(_session!);
        var digest = "digest=" + Uri.EscapeDataString(blob.Digest.ToString());
        address.Query = address.Query.TrimStart('?') is { Length: > 0 } own ? own + "&" + digest : digest;
        return new(HttpMethod.Put, address.Uri, Scope(null), _doing)
        {
            Timeout = ChunkTimeout,
            Content = () => Chunk(count),
        };
    }

    private StreamContent Chunk(long count)
    {
        var content = new StreamContent(open(_offset, count), BufferSize);
        content.Headers.ContentLength = count;
        content.Headers.ContentType = new("application/octet-stream");
        if (count < blob.Size)
        {
            // Without "bytes" and the total, unlike in HTTP: the distribution spec's own form.
            content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{_offset}-{_offset + count - 1}"));
        }

        return content;
    }

    private void Take(HttpResponseMessage answer)
    {
        var location = answer.Headers.Location ?? throw new K3sException(ExitCodes.Failed, $"registry {transport.Host} did not {_doing}: it named no upload address", "Check that this is a registry, and that no proxy before it drops the header Location.");
        _session = new(answer.RequestMessage!.RequestUri!, location);
    }

    // "0-0" is what both an empty upload and one of a single byte answer; the byte is sent again, which the registry refuses
    // with 416 and the upload starts anew.
    private static long Received(string range) =>
        long.TryParse(range[(range.IndexOf('-') + 1)..], CultureInfo.InvariantCulture, out var end) && end > 0 ? end + 1 : 0;

    private string Scope(string? mountFrom) => RegistryScope.Push(repository) + (mountFrom is null ? "" : " " + RegistryScope.Pull(mountFrom));
}

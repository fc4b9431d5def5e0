using System.Net;

namespace Cake.K3s.Tests.Edge;

/// <summary>Plays one fault at the n-th write of a process, over all the APIs that it writes to.</summary>
/// <param name="atWrite">Counted from 1; 0 for never.</param>
/// <param name="kind">What happens then.</param>
internal sealed class Faults(int atWrite = 0, FaultKind kind = FaultKind.Killed)
{
    private int _writes;

    /// <summary>Whether that write was reached.</summary>
    public bool Struck { get; private set; }

    /// <summary>Stands between a client and an API.</summary>
    public HttpMessageHandler Before(HttpMessageHandler api) => new Border(this, api);

    private sealed class Border(Faults faults, HttpMessageHandler api) : DelegatingHandler(api)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isWrite = request.Method != HttpMethod.Get && !request.RequestUri!.Query.Contains("dryRun", StringComparison.Ordinal);
            var strikes = isWrite && Interlocked.Increment(ref faults._writes) == faults._atWrite;
            if (faults.Struck && faults._kind == FaultKind.Fails)
            {
                // Whatever comes after the first failed write is not what is looked for here.
                return isWrite ? Failure() : await base.SendAsync(request, cancellationToken);
            }

            if (faults.Struck || strikes)
            {
                if (!faults.Struck && faults._kind == FaultKind.KilledAfter)
                {
                    (await base.SendAsync(request, cancellationToken)).Dispose();
                }

                faults.Struck = true;
                return faults._kind == FaultKind.Fails ? Failure() : throw new KilledException();
            }

            return await base.SendAsync(request, cancellationToken);
        }

        private static HttpResponseMessage Failure() => new(HttpStatusCode.InternalServerError)
        {
            Content = new StringContent("""{"success": false, "errors": [{"code": 10001, "message": "internal error"}], "messages": [], "result": null}"""),
        };
    }

    private readonly int _atWrite = atWrite;
    private readonly FaultKind _kind = kind;
}

/// <summary>What happens at a write.</summary>
internal enum FaultKind
{
    /// <summary>The process is gone before the write has left it.</summary>
    Killed,

    /// <summary>The process is gone when the API has carried the write out.</summary>
    KilledAfter,

    /// <summary>This write and those after it are answered with 500.</summary>
    Fails,
}

/// <summary>The process of a client was killed.</summary>
internal sealed class KilledException : Exception;

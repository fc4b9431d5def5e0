namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>A connection whose process is killed as it sends its n-th change, before or after the API has carried it out.</summary>
internal sealed class CutConnection(int killAtWrite, bool carriedOut) : DelegatingHandler(new SocketsHttpHandler())
{
    private int _writes;
    private bool _isDead;

    /// <summary>Whether that change was reached.</summary>
    public bool IsCut => _isDead;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isWrite = request.Method != HttpMethod.Get && !request.RequestUri!.Query.Contains("dryRun", StringComparison.Ordinal);
        if (_isDead || (isWrite && Interlocked.Increment(ref _writes) == killAtWrite))
        {
            if (!_isDead && carriedOut)
            {
                (await base.SendAsync(request, cancellationToken)).Dispose();
            }

            _isDead = true;
            throw new ProcessKilledException();
        }

        return await base.SendAsync(request, cancellationToken);
    }
}

/// <summary>The process of a client was killed.</summary>
internal sealed class ProcessKilledException : Exception;

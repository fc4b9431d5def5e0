namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>A server that Cloudflare gets answers from.</summary>
/// <param name="name">What it is called: a node, or <c>host:port</c>.</param>
internal abstract class Origin(string name)
{
    /// <summary>How long a handshake may take.</summary>
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>What it is called.</summary>
    public string Name { get; } = name;

    /// <summary>Begins TLS as Cloudflare would, until the origin has accepted or refused it.</summary>
    /// <param name="host">The name that is asked for (SNI).</param>
    /// <param name="client">The client's certificate; null for none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public abstract Task<OriginAnswer> AskAsync(string host, KeyPair? client, CancellationToken cancellationToken);
}

/// <summary>What an origin answers.</summary>
/// <param name="Certificate">The certificate that it shows, PEM; null where it came to none.</param>
/// <param name="IsAccepted">Whether the handshake came to its end.</param>
/// <param name="Detail">Why not.</param>
internal sealed record OriginAnswer(string? Certificate, bool IsAccepted, string Detail);

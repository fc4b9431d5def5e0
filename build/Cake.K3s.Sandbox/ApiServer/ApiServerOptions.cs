namespace Cake.K3s.Sandbox.ApiServer;

/// <summary>What the API server needs to know; the host brings the listener and its TLS.</summary>
internal sealed record ApiServerOptions
{
    /// <summary>Where the journal of all objects lives; made with mode 700. One process at a time.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>
    /// Bearer tokens and the users they stand for. Empty means that every request is let in as <c>system:admin</c>,
    /// which is for tests and for hosts that check client certificates themselves.
    /// </summary>
    public IReadOnlyDictionary<string, ApiUser> Tokens { get; init; } = new Dictionary<string, ApiUser>();

    /// <summary>Where Services get their cluster IPs from, IPv4.</summary>
    public string ServiceCidr { get; init; } = "10.43.0.0/16";

    /// <summary>Where NodePorts are taken from, first and last.</summary>
    public (int First, int Last) NodePorts { get; init; } = (30000, 32767);

    /// <summary>The PEM certificate that pods and clients check the server with: goes into <c>kube-root-ca.crt</c> of each namespace. Null leaves it out.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>The version that <c>/version</c> reports, without the <c>v</c>.</summary>
    public string KubernetesVersion { get; init; } = "1.34.1";

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>Who makes a request.</summary>
internal sealed record ApiUser(string Name, IReadOnlyList<string> Groups)
{
    public static ApiUser Admin { get; } = new("system:admin", ["system:masters", "system:authenticated"]);

    /// <summary>Whether nothing is refused.</summary>
    public bool IsMaster => Groups.Contains("system:masters");
}

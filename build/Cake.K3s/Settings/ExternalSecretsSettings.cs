using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>The Vault that the control <c>ExternalSecrets</c> keeps the app's secrets equal to.</summary>
public sealed record ExternalSecretsSettings
{
    /// <summary>The folders of the operator's manifests.</summary>
    public ImmutableArray<string> Manifests { get; init; } = ["manifests/hardening/external-secrets"];

    /// <summary>The address of Vault, e.g. <c>https://vault.example.com</c>: reachable from the cluster and from here.</summary>
    [Pattern("^https?://[^/ ]+$", "an address without a path, such as https://vault.example.com")]
    public required string Vault { get; init; }

    /// <summary>The mount of the key-value engine, version 2.</summary>
    [Pattern("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", "names separated by slashes")]
    public string Mount { get; init; } = "secret";

    /// <summary>The path in it whose properties are named as the environment's secrets, e.g. <c>honeydue/production</c>.</summary>
    [Pattern("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", "names separated by slashes")]
    public required string Path { get; init; }

    /// <summary>A token that may read that path, and nothing else. It is kept in the cluster.</summary>
    public required SecretSource Token { get; init; }

    /// <summary>How often the operator looks for new values.</summary>
    public Duration Refresh { get; init; } = Duration.FromMinutes(60);
}

using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cake.K3s.Environments;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Finds the servers outside of the cluster that policies name.</summary>
internal static class OutsideEnds
{
    private static readonly ImmutableDictionary<string, int> DefaultPorts = new Dictionary<string, int>
    {
        ["postgres"] = 5432,
        ["postgresql"] = 5432,
        ["redis"] = 6379,
        ["rediss"] = 6379,
        ["smtp"] = 587,
        ["smtps"] = 465,
        ["https"] = 443,
        ["http"] = 80,
    }.ToImmutableDictionary();

    /// <summary>Looks up each server of the settings.</summary>
    /// <exception cref="K3sException">A secret is missing or is no URL (exit code 2), or a host's name is not known (exit code 1).</exception>
    public static async Task<ImmutableSortedDictionary<string, FlowTarget>> ResolveAsync(
        NetworkPolicySettings settings, DeployEnvironment environment, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(settings.Outside.Select(async outside =>
        {
            var (host, port) = Parse(outside.Key, outside.Value, environment);
            return KeyValuePair.Create(outside.Key, new FlowTarget(new AddressEnd(outside.Key, await LookUpAsync(outside.Key, host, cancellationToken)), port));
        }));
        return found.ToImmutableSortedDictionary();
    }

    /// <summary>The host and port of a server.</summary>
    internal static (string Host, int Port) Parse(string name, OutsideSettings outside, DeployEnvironment environment)
    {
        if (outside.Address is { } address)
        {
            var colon = address.LastIndexOf(':');
            return (address[..colon], int.Parse(address[(colon + 1)..], CultureInfo.InvariantCulture));
        }

        if (!environment.Secrets.TryGetValue(outside.Secret!, out var secret))
        {
            throw Wrong(name, $"the environment has no secret {outside.Secret}", "Name one of its secrets.");
        }

        // Its text is in no message: it holds a password.
        return Uri.TryCreate(secret.Reveal(), UriKind.Absolute, out var url) && url.Host.Length > 0
            && (url.Port > 0 ? url.Port : DefaultPorts.GetValueOrDefault(url.Scheme)) is var port and > 0
            ? (url.Host, port)
            : throw Wrong(name, $"the secret {outside.Secret} is no URL with a host and a port", "Name a secret such as postgres://user:password@host:5432/database.");
    }

    private static async Task<ImmutableArray<IPAddress>> LookUpAsync(string name, string host, CancellationToken cancellationToken)
    {
        try
        {
            return [.. await Dns.GetHostAddressesAsync(host, cancellationToken)];
        }
        catch (SocketException e)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"the host of hardening.networkPolicies.outside.{name} cannot be looked up: {e.Message}",
                "Correct its name, or look at this machine's DNS.",
                innerException: e);
        }
    }

    private static K3sException Wrong(string name, string problem, string nextStep) =>
        new(ExitCodes.BadInput, $"hardening.networkPolicies.outside.{name}: {problem}", nextStep);
}

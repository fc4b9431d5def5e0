using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.BetterStack;
using Cake.K3s.Hardening;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Uptime;

/// <summary>The monitors and the heartbeat at Better Stack, known by their names.</summary>
/// <param name="api">Its API.</param>
/// <param name="prefix">What their names begin with.</param>
internal sealed class OutsideMonitors(BetterStackApi api, string prefix)
{
    private const string Monitors = "monitors";
    private const string Heartbeats = "heartbeats";

    // What its API takes.
    private static readonly int[] Frequencies = [30, 45, 60, 120, 180, 300, 600, 900, 1800];
    private static readonly int[] CertificateDays = [1, 2, 3, 7, 14, 30, 60];

    /// <summary>What is to be done, in order; the heartbeat comes first, since Gatus needs its address.</summary>
    /// <param name="settings">The checks; null to leave nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ImmutableArray<ChangeStep>> StepsAsync(UptimeSettings? settings, CancellationToken cancellationToken)
    {
        var steps = ImmutableArray.CreateBuilder<ChangeStep>();
        JsonObject[] heartbeats = settings is { Gatus: not null, BetterStack: { } outside } ? [Heartbeat(outside)] : [];
        JsonObject[] monitors = settings is { BetterStack: { } provider } ? [.. settings.Checks.Select(check => Monitor(check, provider))] : [];
        await CompareAsync(Heartbeats, "name", heartbeats, steps, cancellationToken);
        await CompareAsync(Monitors, "pronounceable_name", monitors, steps, cancellationToken);
        return steps.ToImmutable();
    }

    /// <summary>The address that is asked for as a sign of life; null before it is made.</summary>
    public async Task<string?> HeartbeatAddressAsync(CancellationToken cancellationToken) =>
        (await OwnAsync(Heartbeats, "name", cancellationToken)).FirstOrDefault()?.Attributes.Text("url");

    /// <summary>How each stands, as Better Stack sees it: <c>up</c>, <c>down</c>, <c>pending</c> …</summary>
    public async Task<ImmutableArray<(string Name, string Status)>> StatusesAsync(CancellationToken cancellationToken) =>
    [
        .. (await OwnAsync(Heartbeats, "name", cancellationToken)).Select(item => (item.Attributes.Text("name")!, item.Attributes.Text("status") ?? "unknown")),
        .. (await OwnAsync(Monitors, "pronounceable_name", cancellationToken)).Select(item => (item.Attributes.Text("pronounceable_name")!, item.Attributes.Text("status") ?? "unknown")),
    ];

    private async Task CompareAsync(
        string kind, string nameMember, JsonObject[] wanted, ImmutableArray<ChangeStep>.Builder steps, CancellationToken cancellationToken)
    {
        var live = await OwnAsync(kind, nameMember, cancellationToken);
        foreach (var attributes in wanted)
        {
            var name = attributes.Text(nameMember)!;
            var known = live.FirstOrDefault(item => item.Attributes.Text(nameMember) == name);
            if (known is null)
            {
                steps.Add(new(new(name, $"make it among the {kind}"), cancellation => api.CreateAsync(kind, attributes, cancellation)));
            }
            else if (!known.Attributes.Holds(attributes))
            {
                steps.Add(new(new(name, $"change it among the {kind}"), cancellation => api.ChangeAsync(kind, known.Id, attributes, cancellation)));
            }
        }

        // Of two with one name, which a request that was cut off may leave, the second goes.
        var kept = new HashSet<string>(wanted.Select(attributes => attributes.Text(nameMember)!));
        steps.AddRange(live.Where(item => !kept.Remove(item.Attributes.Text(nameMember)!))
            .Select(item => new ChangeStep(new(item.Attributes.Text(nameMember)!, $"delete it from the {kind}"), cancellation => api.DeleteAsync(kind, item.Id, cancellation))));
    }

    private async Task<IReadOnlyList<BetterStackItem>> OwnAsync(string kind, string nameMember, CancellationToken cancellationToken) =>
        [.. (await api.ListAsync(kind, cancellationToken)).Where(item => item.Attributes.Text(nameMember)?.StartsWith(prefix, StringComparison.Ordinal) == true)];

    private JsonObject Monitor(UptimeCheck check, BetterStackSettings settings)
    {
        if (!Frequencies.Contains((int)check.Interval.Value.TotalSeconds) || !CertificateDays.Contains(check.CertificateDays))
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"uptime: Better Stack takes neither every interval nor every number of days, and check {check.Name} has {check.Interval} and {check.CertificateDays}",
                $"Intervals in seconds: {string.Join(", ", Frequencies)}; certificateDays: {string.Join(", ", CertificateDays)}.");
        }

        var attributes = new JsonObject
        {
            ["pronounceable_name"] = prefix + check.Name,
            ["url"] = check.Url,
            ["monitor_type"] = check.Contains is null ? "expected_status_code" : "keyword",
            ["check_frequency"] = (int)check.Interval.Value.TotalSeconds,
            ["request_timeout"] = (int)Math.Clamp(Math.Ceiling(check.Limit.Value.TotalSeconds), 2, 60),
            ["verify_ssl"] = true,
            ["ssl_expiration"] = check.CertificateDays,
            ["email"] = true,
        };
        if (check.Contains is { } text)
        {
            attributes["required_keyword"] = text;
        }
        else
        {
            attributes["expected_status_codes"] = new JsonArray(check.Status);
        }

        return WithPolicy(attributes, settings);
    }

    private JsonObject Heartbeat(BetterStackSettings settings) => WithPolicy(
        new() { ["name"] = prefix + "sign-of-life", ["period"] = 60, ["grace"] = (int)settings.Grace.Value.TotalSeconds, ["email"] = true },
        settings);

    private static JsonObject WithPolicy(JsonObject attributes, BetterStackSettings settings)
    {
        if (settings.Policy is { } policy)
        {
            attributes["policy_id"] = policy;
        }

        return attributes;
    }
}

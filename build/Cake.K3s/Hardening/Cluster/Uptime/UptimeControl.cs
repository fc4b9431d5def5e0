using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.BetterStack;
using Cake.K3s.Hardening.Cluster.Objects;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Operations.Uptime;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.Uptime;

/// <summary>
/// Somebody notices when the app does not answer, also when that is because the whole cluster does not: a Gatus inside, Better Stack
/// outside, and outside also the silence of the one inside.
/// </summary>
[ProvedBy("its objects in the sandbox's API; a stopped server, noticed by CheckUptime", "Better Stack's API; Gatus is not run")]
internal sealed class UptimeControl(ControlCluster cluster, SecretReader secrets, UptimeProbe probe, HttpClient http, TimeProvider time) : IControl
{
    private const string OutsideSetting = "betterStack";

    // Gatus gives its first sign of life within a minute of its start.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Name => "Uptime";

    /// <inheritdoc/>
    public string Protects => "The operator hears before the users call.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private UptimeSettings? Settings => cluster.EnvironmentSettings.Uptime;

    private string Prefix => $"{cluster.Settings.App} {cluster.EnvironmentSettings.Name}: ";

    private string Left => $"there are monitors named '{Prefix}…' at Better Stack, and uptime.betterStack is not in deploy.yaml any more";

    private Finding NotConfigured => Finding.NotConfigured(Name, "uptime");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var findings = await objects.AuditAsync(await DesiredAsync(settings, cancellationToken), cancellationToken);
        var journal = await objects.JournalAsync(cancellationToken);
        if (await OutsideAsync(settings, cancellationToken) is not { } outside)
        {
            return IsLeftOutside(journal) ? findings.Add(new(Name, "Better Stack", ControlState.Drifted, Left, [])) : findings;
        }

        var steps = await outside.StepsAsync(settings, cancellationToken);
        var absence = journal switch { null => ControlState.Missing, { IsComplete: false } => ControlState.Unfinished, _ => ControlState.Drifted };
        return steps.IsEmpty
            ? findings.Add(new(Name, "Better Stack", ControlState.InPlace, $"{settings.Checks.Length} monitors look from outside", []))
            : findings.AddRange(steps.Select(step => new Finding(Name, step.Change.Target, absence, $"to do at Better Stack: {step.Change.Description}", [])));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        await RequireNothingOutsideAsync(objects, cancellationToken);
        var changes = await objects.PlanAsync(await DesiredAsync(settings, cancellationToken), cancellationToken);
        return await OutsideAsync(settings, cancellationToken) is { } outside
            ? [.. (await outside.StepsAsync(settings, cancellationToken)).Select(step => step.Change), .. changes]
            : changes;
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        var changes = ImmutableArray<PlannedChange>.Empty;
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        await RequireNothingOutsideAsync(objects, cancellationToken);
        if (await OutsideAsync(settings, cancellationToken) is { } outside)
        {
            var steps = await outside.StepsAsync(settings, cancellationToken);
            if (!steps.IsEmpty)
            {
                // Marks the apply as begun, for the undo of one that is cut off before it comes to the cluster.
                await objects.RememberAsync([new(OutsideSetting, settings.BetterStack!.Api)], cancellationToken);
            }

            changes = await ChangeStep.CarryOutAsync(steps, cancellationToken);
        }

        return changes.AddRange(await objects.ApplyAsync(await DesiredAsync(settings, cancellationToken), cancellationToken));
    }

    /// <summary>Looks at each check, and waits until those outside see the app and hear from the one inside.</summary>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var check in settings.Checks)
        {
            var wrong = await probe.WrongAsync(check, cancellationToken);
            findings.Add(new(Name, check.Name, wrong is null ? ControlState.InPlace : ControlState.Drifted, wrong ?? $"{check.Url} is as it should be, seen from here", []));
        }

        if (await OutsideAsync(settings, cancellationToken) is { } outside)
        {
            findings.AddRange(await AwaitAsync(outside, cancellationToken));
        }

        return findings.ToImmutable();
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        await RequireNothingOutsideAsync(objects, cancellationToken);

        // Nobody is told that the one inside is silent.
        var changes = Settings is { } settings && await OutsideAsync(settings, cancellationToken) is { } outside
            ? await ChangeStep.CarryOutAsync(await outside.StepsAsync(null, cancellationToken), cancellationToken)
            : [];
        return changes.AddRange(await objects.UndoAsync(cancellationToken));
    }

    // Without its token nothing is deleted there, and nobody else would say that it is still there.
    private async Task RequireNothingOutsideAsync(ControlledObjects objects, CancellationToken cancellationToken)
    {
        if (IsLeftOutside(await objects.JournalAsync(cancellationToken)))
        {
            throw new K3sException(
                ExitCodes.BadInput, $"Uptime: {Left}", "Put uptime.betterStack with its token back, run Undo-Uptime, then take it out again; Harden-Uptime brings back what is to stay.");
        }
    }

    private bool IsLeftOutside(ControlJournal? journal) => Settings?.BetterStack is null && journal?.Settings.ContainsKey(OutsideSetting) == true;

    private async Task<ImmutableArray<Finding>> AwaitAsync(OutsideMonitors outside, CancellationToken cancellationToken)
    {
        var statuses = await RepeatedLook.UntilAsync(
            () => outside.StatusesAsync(cancellationToken), seen => seen.All(item => item.Status == "up"), Limit, Pause, time, cancellationToken);
        return
        [
            .. statuses.Select(item => new Finding(
                Name, item.Name, item.Status == "up" ? ControlState.InPlace : ControlState.Drifted, $"Better Stack says that it is {item.Status}", [])),
        ];
    }

    private async Task<OutsideMonitors?> OutsideAsync(UptimeSettings settings, CancellationToken cancellationToken) => settings.BetterStack is { } provider
        ? new(new BetterStackApi(http, new Uri(provider.Api.TrimEnd('/')), await SecretAsync("betterStack.token", provider.Token, cancellationToken), time), Prefix)
        : null;

    private async Task<ImmutableArray<JsonObject>> DesiredAsync(UptimeSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Gatus is not { } gatus)
        {
            return [];
        }

        var variables = ImmutableSortedDictionary.CreateBuilder<string, Secret>(StringComparer.Ordinal);
        if (gatus.Slack is { } slack)
        {
            variables[GatusConfiguration.SlackVariable] = await SecretAsync("gatus.slack", slack, cancellationToken);
        }

        if (gatus.Email is { User: not null, Password: { } password })
        {
            variables[GatusConfiguration.MailVariable] = await SecretAsync("gatus.email.password", password, cancellationToken);
        }

        if (await OutsideAsync(settings, cancellationToken) is { } outside && await outside.HeartbeatAddressAsync(cancellationToken) is { } heartbeat)
        {
            variables[GatusConfiguration.HeartbeatVariable] = new Secret(heartbeat);
        }

        var api = await cluster.OpenAsync(cancellationToken);
        return new GatusObjects(cluster.Settings.App, api.Namespace, cluster.EnvironmentSettings.Name, settings).All(variables.ToImmutable());
    }

    private Task<Secret> SecretAsync(string name, SecretSource source, CancellationToken cancellationToken) =>
        secrets.ReadAsync("uptime." + name, source, cluster.Settings.Root, cancellationToken);
}

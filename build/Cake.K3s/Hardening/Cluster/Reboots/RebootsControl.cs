using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.Reboots;

/// <summary>
/// Nodes that need a reboot get one, and K3s its new version: one node at a time, drained before, at night, and no reboot while an alert
/// fires. Who does it, and when, is in plain manifests.
/// </summary>
[ProvedBy("its objects in the sandbox's API", "kured and the upgrade controller are not run")]
internal sealed class RebootsControl(ControlCluster cluster, ManifestLoader loader, TimeProvider time) : IControl
{
    private static readonly GroupVersionKind PlanType = new("upgrade.cattle.io", "v1", "Plan");
    private static readonly TimeSpan TypeLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public string Name => "Reboots";

    /// <inheritdoc/>
    public string Protects => "Security updates of the kernel and of K3s wait for somebody to reboot, or all servers reboot at the same time.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private RebootSettings? Settings => cluster.Hardening.Reboots;

    private Finding NotConfigured => Finding.NotConfigured(Name, "hardening.reboots");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var findings = await (await cluster.ObjectsAsync(Name, cancellationToken)).AuditAsync(await DesiredAsync(settings, cancellationToken), cancellationToken);
        return settings.Prometheus is not null
            ? findings
            : findings.Add(new(Name, "alerts", ControlState.NotApplicable, "hardening.reboots.prometheus is not set: nodes are rebooted whatever alerts fire", []));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Settings is { } settings
        ? await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync(await DesiredAsync(settings, cancellationToken), cancellationToken)
        : [];

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var desired = await DesiredAsync(settings, cancellationToken);
        var plans = desired.Where(IsPlan).ToList();
        var changes = await objects.ApplyStageAsync([.. desired.Where(node => !IsPlan(node))], cancellationToken);
        if (plans.Count > 0)
        {
            await UntilKnownAsync(PlanType, cancellationToken);
            changes = changes.AddRange(await objects.ApplyStageAsync(plans, cancellationToken));
        }

        return changes.AddRange(await objects.FinishAsync(desired, cancellationToken));
    }

    /// <summary>Looks whether the two run where they should; no node is rebooted for the proof.</summary>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var api = await cluster.OpenAsync(cancellationToken);
        var daemon = await api.GetAsync(new ObjectKey(new("apps", "v1", "DaemonSet"), "kube-system", "kured"), cancellationToken);
        var controller = await api.GetAsync(new ObjectKey(new("apps", "v1", "Deployment"), "system-upgrade", "system-upgrade-controller"), cancellationToken);
        return
        [
            Running("kube-system/kured", daemon.Number("status", "numberReady"), daemon.Number("status", "desiredNumberScheduled"), "watches for nodes that need a reboot"),
            Running("system-upgrade/system-upgrade-controller", controller.Number("status", "readyReplicas"), controller.Number("spec", "replicas"), "carries out the plans for K3s"),
        ];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    private Finding Running(string target, long? ready, long? wanted, string does) => (ready ?? 0, wanted ?? 0) switch
    {
        (_, 0) => new(Name, target, ControlState.Missing, "it is to run nowhere yet", []),
        var (now, all) when now >= all => new(Name, target, ControlState.InPlace, $"it runs ({now} of {all}) and {does}", []),
        var (now, all) => new(Name, target, ControlState.Unfinished, $"{now} of {all} are ready; see: kubectl -n {target.Split('/')[0]} get pods", []),
    };

    private async Task<ImmutableArray<JsonObject>> DesiredAsync(RebootSettings settings, CancellationToken cancellationToken)
    {
        var inputs = ManifestInputs.ForCheck(cluster.Settings, cluster.EnvironmentSettings) with { Paths = settings.Manifests, MigrationJob = null };
        inputs = inputs with
        {
            Variables = inputs.Variables
                .SetItem("PROMETHEUS_URL", settings.Prometheus ?? "")
                .SetItem("K3S_VERSION", settings.K3sVersion ?? ""),
        };
        return
        [
            .. (await loader.LoadAsync(inputs, cancellationToken)).Objects
                .Select(manifest => manifest.Node.DeepClone().AsObject())
                .Where(node => settings.K3sVersion is not null || !IsPlan(node))
                .OrderBy(node => Waves.Of(GroupVersionKind.Of(node))),
        ];
    }

    private static bool IsPlan(JsonObject node) => GroupVersionKind.Of(node) == PlanType;

    // A definition that was just made takes the API a moment to serve.
    private async Task UntilKnownAsync(GroupVersionKind type, CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var resource = await RepeatedLook.UntilAsync(
            () => api.FindResourceAsync(type, cancellationToken), found => found is not null, TypeLimit, BetweenLooks, time, cancellationToken);
        if (resource is null)
        {
            throw new K3sException(ExitCodes.Failed, $"{Name}: the API does not serve {type} within {TypeLimit.TotalSeconds:0} s of its definition", "See: kubectl describe crd plans.upgrade.cattle.io");
        }
    }
}

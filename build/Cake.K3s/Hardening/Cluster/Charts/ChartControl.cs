using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.Charts;

/// <summary>A control that is folders of manifests with charts, and proves what they are for.</summary>
internal abstract class ChartControl(ControlCluster cluster, ManifestLoader loader, ChartInstaller installer, TimeProvider time) : IControl
{
    // What a scrape, an upload or a query of what has just started may take.
    private static readonly TimeSpan EffectLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan EffectPause = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Protects { get; }

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    /// <summary>The cluster.</summary>
    protected ControlCluster Cluster => cluster;

    /// <summary>The key of deploy.yaml that asks for it.</summary>
    protected abstract string Key { get; }

    /// <summary>The folders of its manifests; null where deploy.yaml does not ask for it.</summary>
    protected abstract ImmutableArray<string>? Folders { get; }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Folders is not { } folders)
        {
            return [Finding.NotConfigured(Name, Key)];
        }

        var desired = await DesiredAsync(folders, cancellationToken);
        var findings = await (await cluster.ObjectsAsync(Name, cancellationToken)).AuditAsync(desired, cancellationToken);
        return findings.AddRange(await ChartInstaller.AuditAsync(Name, await cluster.OpenAsync(cancellationToken), desired, cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Folders is { } folders
        ? await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync(await DesiredAsync(folders, cancellationToken), cancellationToken)
        : [];

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Folders is not { } folders)
        {
            return [];
        }

        var desired = await DesiredAsync(folders, cancellationToken);
        await PrepareAsync(cancellationToken);
        var api = await cluster.OpenAsync(cancellationToken);
        return await installer.ApplyAsync(Name, api, await cluster.ObjectsAsync(Name, cancellationToken), desired, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Folders is not { } folders)
        {
            return [Finding.NotConfigured(Name, Key)];
        }

        var api = await cluster.OpenAsync(cancellationToken);
        var desired = await DesiredAsync(folders, cancellationToken);
        return [await installer.VerifyAsync(Name, api, desired, cancellationToken), .. await EffectAsync(api, desired, cancellationToken)];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    /// <summary>Checks, before anything is applied, what applying would come to nothing without.</summary>
    protected virtual Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Measures what it is for, once.</summary>
    protected abstract Task<ImmutableArray<Finding>> MeasureAsync(ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken);

    /// <summary>All objects that should be.</summary>
    protected virtual async Task<IReadOnlyList<JsonObject>> DesiredAsync(ImmutableArray<string> folders, CancellationToken cancellationToken)
    {
        var environment = await cluster.EnvironmentAsync();
        var inputs = ManifestInputs.ForCheck(cluster.Settings, cluster.EnvironmentSettings) with
        {
            Paths = folders,
            MigrationJob = null,
            Namespace = environment.Cluster.Namespace,
            Variables = environment.Variables,
            Secrets = environment.Secrets.ToImmutableDictionary(secret => secret.Key, secret => (Secret?)secret.Value),
        };
        return [.. (await loader.LoadAsync(inputs, cancellationToken)).Objects.Select(manifest => manifest.Node)];
    }

    // What is installed takes its time to measure anything, and no API tells when.
    private Task<ImmutableArray<Finding>> EffectAsync(ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken) => RepeatedLook.UntilAsync(
        () => TryMeasureAsync(api, desired, cancellationToken), findings => findings.All(finding => finding.State.IsFine()), EffectLimit, EffectPause, time, cancellationToken);

    private async Task<ImmutableArray<Finding>> TryMeasureAsync(ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        try
        {
            return await MeasureAsync(api, desired, cancellationToken);
        }
        catch (Exception e) when (e is KubernetesApiException or JsonException)
        {
            return [new(Name, "", ControlState.Unknown, $"it does not answer yet: {e.Message}", [])];
        }
    }
}

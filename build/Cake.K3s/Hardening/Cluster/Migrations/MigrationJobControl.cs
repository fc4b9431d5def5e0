using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.Migrations;

/// <summary>
/// No pod changes the database's schema when it starts: the pipeline does, once a release, before anything of it runs. It changes
/// nothing; it looks for workloads that run what the migration's Job runs.
/// </summary>
[ProvedBy("workloads of the sandbox's API", null)]
internal sealed class MigrationJobControl(ControlCluster cluster, ManifestLoader loader) : IControl
{
    private static readonly GroupVersionKind[] Workloads =
        [new("apps", "v1", "Deployment"), new("apps", "v1", "StatefulSet"), new("apps", "v1", "DaemonSet"), new("batch", "v1", "CronJob")];

    /// <inheritdoc/>
    public string Name => "MigrationJob";

    /// <inheritdoc/>
    public string Protects => "Pods that start at the same time do not change the schema at the same time, nor an old one after a rollback.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (cluster.Settings.Migration is null)
        {
            return [new(Name, "", ControlState.NotApplicable, "migration of deploy.yaml is not set: the app has no schema of its own", [])];
        }

        var inputs = ManifestInputs.ForCheck(cluster.Settings, cluster.EnvironmentSettings);
        var migration = (await loader.LoadAsync(inputs, cancellationToken)).Migration!;
        var commands = PodSpecs.Containers(PodSpecs.TemplateOf(migration.Node).At("spec")).Select(Command).Where(command => command.Length > 0).ToList();
        var api = await cluster.OpenAsync(cancellationToken);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var type in Workloads)
        {
            foreach (var workload in (await api.ListAsync(type, api.Namespace, null, cancellationToken)).Items)
            {
                findings.Add(Judge(workload, $"{api.Namespace}/{workload.ObjectName()}", commands));
            }
        }

        return findings.Count > 0 ? findings.ToImmutable() : [new(Name, api.Namespace, ControlState.NotApplicable, "nothing is deployed", [])];
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Task.FromResult(ImmutableArray<PlannedChange>.Empty);

    /// <inheritdoc/>
    public Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken) => Task.FromResult(ImmutableArray<PlannedChange>.Empty);

    /// <inheritdoc/>
    public Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken) => AuditAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) => Task.FromResult(ImmutableArray<PlannedChange>.Empty);

    private Finding Judge(JsonObject workload, string target, List<string> commands)
    {
        var migrating = PodSpecs.Containers(PodSpecs.TemplateOf(workload).At("spec")).Where(container => commands.Contains(Command(container))).ToList();
        return migrating.Count == 0
            ? new(Name, target, ControlState.InPlace, "its pods do not migrate when they start", [])
            : new(
                Name,
                target,
                ControlState.Missing,
                $"container {migrating[0].Text("name")} runs what the migration's Job runs, each time a pod starts: take it out and let Migrate do it",
                [.. migrating.Select(container => $"{container.Text("name")}: {Command(container)}")]);
    }

    /// <summary>What a container runs beyond its image's own command; empty for nothing.</summary>
    private static string Command(JsonObject container) => string.Join(' ', ((string[])["command", "args"])
        .SelectMany(part => container[part] as JsonArray ?? [])
        .Select(word => word?.ToString()));
}

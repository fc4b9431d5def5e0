using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>
/// Pods of the app's namespace connect to nothing, and are connected to by nobody, but what policies name. While they are applied, a
/// policy that allows everything stands beside them; it goes for what comes in first, and for what goes out when all are there.
/// </summary>
[ProvedBy("connections from short-lived pods in the sandbox, enforced by packet filters", "K3s' own enforcement (kube-router): its rules are evaluated, it is not run")]
internal sealed class NetworkPoliciesControl(ControlCluster cluster, ManifestLoader loader) : IControl
{
    private const string ControlName = "NetworkPolicies";
    private const string OpenPolicy = "cake-k3s-open-while-applying";

    // Whoever enforces policies comes to new pods and new policies some seconds late.
    private const int Attempts = 3;
    private const string ProbeNamespace = "cake-k3s-probes";
    private static readonly GroupVersionKind PolicyType = new("networking.k8s.io", "v1", "NetworkPolicy");
    private static readonly GroupVersionKind NamespaceType = new("", "v1", "Namespace");

    /// <inheritdoc/>
    public string Name => ControlName;

    /// <inheritdoc/>
    public string Protects => "A pod that was taken over reaches only what its workload needs, and only who needs it reaches a pod.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private NetworkPolicySettings? Settings => cluster.Hardening.NetworkPolicies;

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var findings = await objects.AuditAsync(await DesiredAsync(cancellationToken), cancellationToken);
        var matrix = await MatrixAsync(planned: false, cancellationToken);
        var allowed = matrix.Flows.Count(item => item.Verdict.IsAllowed);
        return findings.Add(new(
            Name,
            "flows",
            findings.FirstOrDefault(finding => !finding.State.IsFine())?.State ?? ControlState.InPlace,
            $"{allowed} of {matrix.Flows.Length} connections are allowed",
            [.. matrix.Table()]));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Settings is null
        ? []
        : await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync(await DesiredAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [];
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var desired = await DesiredAsync(cancellationToken);
        if ((await objects.PlanAsync(desired, cancellationToken)).IsEmpty)
        {
            return await objects.FinishAsync(desired, cancellationToken);
        }

        var ns = (await cluster.OpenAsync(cancellationToken)).Namespace;
        var outgoing = desired.Where(LimitsEgress).ToList();
        await objects.ApplyStageAsync([Open(ns, "Ingress", "Egress")], cancellationToken);
        var changes = await objects.ApplyStageAsync([.. desired.Except(outgoing)], cancellationToken);
        await objects.ApplyStageAsync([Open(ns, "Egress")], cancellationToken);
        changes = changes.AddRange(await objects.ApplyStageAsync(outgoing, cancellationToken));
        return changes.AddRange((await objects.FinishAsync(desired, cancellationToken)).Where(change => !change.Target.EndsWith(OpenPolicy, StringComparison.Ordinal)));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is null)
        {
            return [NotConfigured];
        }

        var api = await cluster.OpenAsync(cancellationToken);
        var image = await (await cluster.EnvironmentAsync()).ReferenceOf(Settings.ProbeImage, cancellationToken);
        var survey = await SurveyAsync(api, cancellationToken);
        var evaluator = await EvaluatorAsync(api, survey, planned: false, cancellationToken);
        await api.ApplyAsync(Node(NamespaceType, null, ProbeNamespace), cancellationToken);
        try
        {
            // Few at a time: each is a pod on somebody's small nodes.
            var results = new List<ProbeResult>();
            foreach (var batch in ProbersOf(survey, api.Namespace).Chunk(4))
            {
                results.AddRange(await Task.WhenAll(batch.Select(prober => ProbeAsync(new(api, image), prober, survey, evaluator, cancellationToken))));
            }

            return Judge(results);
        }
        finally
        {
            await api.DeleteAsync(new(NamespaceType, null, ProbeNamespace), CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    /// <summary>What is let through.</summary>
    /// <param name="planned">By the policies of the folder instead of those in the cluster.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<FlowMatrix> MatrixAsync(bool planned, CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var survey = await SurveyAsync(api, cancellationToken);
        return survey.Matrix(await EvaluatorAsync(api, survey, planned, cancellationToken));
    }

    private static Finding NotConfigured => Finding.NotConfigured(ControlName, "hardening.networkPolicies");

    private static bool LimitsEgress(JsonObject policy) =>
        (policy.At("spec", "policyTypes") as JsonArray ?? []).Any(type => type?.ToString() == "Egress");

    private static JsonObject Node(GroupVersionKind type, string? ns, string name)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns is not null)
        {
            metadata["namespace"] = ns;
        }

        return new() { ["apiVersion"] = type.ApiVersion, ["kind"] = type.Kind, ["metadata"] = metadata };
    }

    private static JsonObject Open(string ns, params string[] directions)
    {
        var policy = Node(PolicyType, ns, OpenPolicy);
        policy["spec"] = new JsonObject { ["podSelector"] = new JsonObject(), ["policyTypes"] = new JsonArray([.. directions.Select(type => JsonValue.Create(type))]) };
        foreach (var direction in directions)
        {
            policy["spec"]![direction.ToLowerInvariant()] = new JsonArray(new JsonObject());
        }

        return policy;
    }

    /// <summary>Who probes: a pod for each workload, one of another namespace, and one on each node's own network, as Traefik is.</summary>
    private static IEnumerable<Prober> ProbersOf(FlowSurvey survey, string ns) =>
    [
        .. survey.Sources.OfType<PodEnd>().Where(pod => pod.Namespace == ns && !pod.HostNetwork)
            .Select(pod => new Prober(pod, $"cake-k3s-probe-{pod.Name}", ns, null)),
        .. survey.Sources.OfType<PodEnd>().Where(pod => pod.Name == FlowSurvey.Stranger)
            .Select(pod => new Prober(pod with { Namespace = ProbeNamespace }, "stranger", ProbeNamespace, null)),
        .. survey.View.Nodes.Select(node => new Prober(
            new PodEnd($"node {node.Key}", ProbeNamespace, Ranges.NoLabels, node.Value, [], node.Key, HostNetwork: true), "node", ProbeNamespace, node.Key)),
    ];

    private static async Task<ProbeResult> ProbeAsync(FlowProbes probes, Prober prober, FlowSurvey survey, FlowEvaluator evaluator, CancellationToken cancellationToken)
    {
        // A workload's own ports are tried on it too: its other replicas are as good as another workload to policies.
        var targets = survey.Targets.Where(target => target.Protocol == "TCP" && target.To.Addresses.Length > 0).ToList();
        for (var attempt = 1; ; attempt++)
        {
            var result = await ProbeOnceAsync(probes, prober, targets, evaluator, cancellationToken);
            if (result.Finding.State.IsFine() || attempt == Attempts)
            {
                return result;
            }
        }
    }

    private static async Task<ProbeResult> ProbeOnceAsync(
        FlowProbes probes, Prober prober, IReadOnlyList<FlowTarget> targets, FlowEvaluator evaluator, CancellationToken cancellationToken)
    {
        var labels = NetworkView.WorkloadLabels(prober.End);
        var (address, measured) = await probes.TryAsync(prober.JobName, prober.Namespace, labels, targets, prober.Node, cancellationToken);

        // The probe is a pod of its own, also where it looks like the target.
        var source = prober.End with
        {
            Labels = labels.Add(ProbeJob.Label, prober.JobName),
            Addresses = prober.End.HostNetwork ? prober.End.Addresses : [address],
        };
        var wrong = new List<string>();
        var (denied, leaks) = (0, 0);
        foreach (var (target, reached) in targets.Zip(measured))
        {
            var verdict = evaluator.Evaluate(new(source, target.To, target.Port));
            denied += verdict.IsAllowed ? 0 : 1;
            if (reached == verdict.IsAllowed)
            {
                continue;
            }

            leaks += reached == true ? 1 : 0;
            var found = reached switch { true => "came about", false => "did not come about", _ => "was not tried" };
            wrong.Add($"{prober.End.Name} → {target.To.Name}:{target.Port} {found}, and should {(verdict.IsAllowed ? "" : "not ")}({verdict.Reason})");
        }

        var finding = wrong.Count == 0
            ? new Finding(ControlName, prober.End.Name, ControlState.InPlace, $"{targets.Count} connections tried, all as the policies say", [])
            : new Finding(ControlName, prober.End.Name, ControlState.Drifted, $"{wrong.Count} of {targets.Count} connections are not as the policies say", [.. wrong]);
        return new(finding, denied, leaks);
    }

    /// <summary>Where every connection came about that policies deny, nobody enforces them: said once instead of pod by pod.</summary>
    private static ImmutableArray<Finding> Judge(IReadOnlyCollection<ProbeResult> results)
    {
        var (denied, leaks) = (results.Sum(result => result.Denied), results.Sum(result => result.Leaks));
        return denied > 0 && leaks == denied
            ? [new(
                ControlName,
                "cluster",
                ControlState.Missing,
                $"this cluster does not enforce NetworkPolicies: all {denied} connections that they deny came about",
                [.. results.SelectMany(result => result.Finding.Evidence)])]
            : [.. results.Select(result => result.Finding)];
    }

    private async Task<List<JsonObject>> DesiredAsync(CancellationToken cancellationToken)
    {
        var api = await cluster.OpenAsync(cancellationToken);
        var inputs = ManifestInputs.ForCheck(cluster.Settings, cluster.EnvironmentSettings) with { Paths = Settings!.Manifests, MigrationJob = null };
        var manifests = (await loader.LoadAsync(inputs, cancellationToken)).Objects;
        if (manifests.FirstOrDefault(manifest => manifest.Key.Type != PolicyType) is { } other)
        {
            throw other.Place.Error($"the folder of network policies holds a {other.Key.Type}", $"move it to another folder, or make it a NetworkPolicy ({PolicyType.ApiVersion})");
        }

        var outside = await OutsideAsync(cancellationToken);
        var nodes = (await api.ListAsync(new("", "v1", "Node"), null, null, cancellationToken)).Items.SelectMany(node => NetworkView.AddressesOf(node)).ToList();
        var policies = manifests.Select(manifest => PolicyRanges.Expand(manifest, nodes, outside)).ToList();
        foreach (var policy in policies.Where(policy => policy.NamespaceName() is null))
        {
            policy.Child("metadata")["namespace"] = api.Namespace;
        }

        return policies;
    }

    private async Task<ImmutableSortedDictionary<string, FlowTarget>> OutsideAsync(CancellationToken cancellationToken) =>
        await OutsideEnds.ResolveAsync(Settings ?? new(), await cluster.EnvironmentAsync(), cancellationToken);

    private async Task<FlowSurvey> SurveyAsync(ClusterApi api, CancellationToken cancellationToken) =>
        await FlowSurvey.ReadAsync(api, (await OutsideAsync(cancellationToken)).Values, cancellationToken);

    private async Task<FlowEvaluator> EvaluatorAsync(ClusterApi api, FlowSurvey survey, bool planned, CancellationToken cancellationToken)
    {
        IEnumerable<JsonObject> policies = planned && Settings is not null
            ? await DesiredAsync(cancellationToken)
            : (await api.ListAsync(PolicyType, null, null, cancellationToken)).Items;
        return new(policies, survey.View.Namespaces.SetItem(ProbeNamespace, Ranges.NoLabels.Add("kubernetes.io/metadata.name", ProbeNamespace)), survey.View.Nodes);
    }

    private sealed record Prober(PodEnd End, string JobName, string Namespace, string? Node);

    private sealed record ProbeResult(Finding Finding, int Denied, int Leaks);
}

using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Files;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.AuditLog;

/// <summary>The API server writes down who did what (K3s' hardening guide).</summary>
[ProvedBy("test nodes with systemd and sshd", "K3s: a stand-in for its commands and restarts")]
internal sealed class AuditLogControl(PipelineRun run, NodeFleet fleet) : FilesControl(run, fleet)
{
    private const string Policy = "/var/lib/rancher/k3s/server/audit.yaml";
    private const string Log = "/var/lib/rancher/k3s/server/logs/audit.log";

    /// <inheritdoc/>
    public override string Name => "AuditLog";

    /// <inheritdoc/>
    public override string Protects => "After a break-in nobody can tell what was read and changed through the Kubernetes API.";

    /// <inheritdoc/>
    protected override string Description => "write down who asks the API for what (30 days, 10 files of 100 MB)";

    /// <inheritdoc/>
    protected override string InPlace => $"requests are written to {Log}";

    // Never the body of a Secret: the log is no safer than the cluster. Reads by the system's own parts are nine tenths of all requests.
    /// <inheritdoc/>
    protected override ImmutableArray<NodeFile> Wanted { get; } =
    [
        new(Policy, """
            # Made by Cake.K3s.
            apiVersion: audit.k8s.io/v1
            kind: Policy
            omitStages: [RequestReceived]
            rules:
              - level: None
                users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]
                verbs: [get, list, watch]
              - level: None
                userGroups: ["system:nodes"]
                verbs: [get, list, watch]
              - level: None
                resources:
                  - {group: coordination.k8s.io, resources: [leases]}
                  - {group: "", resources: [events]}
              - level: Metadata

            """, "600"),
        new(K3sServer.Settings + "/90-cake-k3s-audit-log.yaml", $"""
            # Made by Cake.K3s.
            kube-apiserver-arg+:
              - audit-policy-file={Policy}
              - audit-log-path={Log}
              - audit-log-maxage=30
              - audit-log-maxbackup=10
              - audit-log-maxsize=100

            """, "600"),
    ];

    /// <inheritdoc/>
    protected override string OtherFacts => K3sServer.Facts;

    /// <inheritdoc/>
    protected override string Activate => $"mkdir -p -m 700 {Path.GetDirectoryName(Log)!.Replace('\\', '/')}\n{K3sServer.Restart}";

    /// <inheritdoc/>
    protected override string Restore => K3sServer.RestartInUndo;

    /// <inheritdoc/>
    protected override string? NotApplicable(NodeFacts facts) => facts.Value(Name, "server") == "yes" ? null : "the node is no server of K3s";

    /// <inheritdoc/>
    protected override string? NotEffective(NodeFacts facts) => null;

    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => ProveByAsync(
        node,
        $$"""
        mark=cake-k3s-$$-$(date +%s)
        k3s kubectl get --raw "/version?mark=$mark" >/dev/null
        tries=40
        until grep -m1 -h "$mark" {{Log}} 2>/dev/null; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo 'a request was made and not written down' >&2; exit 1; }
            sleep 0.25
        done
        """,
        "a request was made and written down",
        cancellationToken);
}

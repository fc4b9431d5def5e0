using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Files;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.PodSecurity;

/// <summary>The API server refuses pods that could take the node over, in every namespace that does not say otherwise (K3s' hardening guide).</summary>
[ProvedBy("test nodes with systemd and sshd", "K3s: a stand-in for its commands and restarts")]
internal sealed class PodSecurityControl(PipelineRun run, NodeFleet fleet) : FilesControl(run, fleet)
{
    private const string Configuration = "/var/lib/rancher/k3s/server/psa.yaml";

    /// <inheritdoc/>
    public override string Name => "PodSecurity";

    /// <inheritdoc/>
    public override string Protects => "A pod that is privileged, or has the host's files or network, is as good as root on the node.";

    /// <inheritdoc/>
    protected override string Description => "refuse pods below the baseline of the Pod Security Standards, warn of those that are not restricted; limit events";

    /// <inheritdoc/>
    protected override string InPlace => "pods below the baseline are refused; those that are not restricted are warned of and audited";

    // restricted is warned of and audited from the start, so that an operator sees what enforcing it would refuse.
    /// <inheritdoc/>
    protected override ImmutableArray<NodeFile> Wanted { get; } =
    [
        new(Configuration, """
            # Made by Cake.K3s.
            apiVersion: apiserver.config.k8s.io/v1
            kind: AdmissionConfiguration
            plugins:
              - name: PodSecurity
                configuration:
                  apiVersion: pod-security.admission.config.k8s.io/v1
                  kind: PodSecurityConfiguration
                  defaults:
                    enforce: baseline
                    enforce-version: latest
                    audit: restricted
                    audit-version: latest
                    warn: restricted
                    warn-version: latest
                  exemptions:
                    usernames: []
                    runtimeClasses: []
                    namespaces: [kube-system]
              - name: EventRateLimit
                configuration:
                  apiVersion: eventratelimit.admission.k8s.io/v1alpha1
                  kind: Configuration
                  limits:
                    - type: Server
                      qps: 5000
                      burst: 20000

            """, "600"),
        new(K3sServer.Settings + "/90-cake-k3s-pod-security.yaml", $"""
            # Made by Cake.K3s.
            kube-apiserver-arg+:
              - enable-admission-plugins=NodeRestriction,EventRateLimit
              - admission-control-config-file={Configuration}

            """, "600"),
    ];

    /// <inheritdoc/>
    protected override string OtherFacts => K3sServer.Facts;

    /// <inheritdoc/>
    protected override string Activate => K3sServer.Restart;

    /// <inheritdoc/>
    protected override string Restore => K3sServer.RestartInUndo;

    /// <inheritdoc/>
    protected override string? NotApplicable(NodeFacts facts) => facts.Value(Name, "server") == "yes" ? null : "the node is no server of K3s";

    /// <inheritdoc/>
    protected override string? NotEffective(NodeFacts facts) => null;

    // Asked of this node's own API server, and nothing is created.
    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => ProveByAsync(
        node,
        """
        if said=$(k3s kubectl create --dry-run=server -o name -f - 2>&1 <<'@@POD'
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cake-k3s-probe", "namespace": "default"}, "spec": {"containers": [{"name": "probe", "image": "probe", "securityContext": {"privileged": true}}]}}
        @@POD
        ); then
            echo 'a privileged pod is let in' >&2
            exit 1
        fi
        echo "$said"
        case $said in *'violates PodSecurity'*) ;; *) echo 'a privileged pod was not tried' >&2; exit 1 ;; esac
        """,
        "a privileged pod is refused",
        cancellationToken);
}

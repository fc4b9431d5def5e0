using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Sshd;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.SshPolicy;

/// <summary>SSH takes keys alone, from modern clients.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class SshPolicyControl(PipelineRun run, NodeFleet fleet) : NodeControl(run, fleet)
{
    // Before cloud-init's 50-cloud-init.conf, which may allow passwords: sshd takes the first value.
    private const string DropIn = SshdConfig.DropIns + "/00-cake-k3s-policy.conf";

    /// <inheritdoc/>
    public override string Name => "SshPolicy";

    /// <inheritdoc/>
    public override string Protects => "Nobody guesses a password over SSH, and no outdated algorithm is spoken.";

    /// <inheritdoc/>
    public override ImmutableArray<string> SharedScripts => [SshdConfig.SharedScript];

    /// <inheritdoc/>
    public override string FactScript => SshdConfig.FactScript + """

        for kind in kex cipher mac; do ssh -Q $kind | sed "s/^/$kind=/"; done
        """;

    /// <inheritdoc/>
    protected override bool OthersFollowTheFirst => true;

    /// <inheritdoc/>
    protected override string Restore => SshdConfig.Reload;

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        var config = SshdConfig.Parse(facts.Values(Name, "sshd"));
        if (config.Values.IsEmpty)
        {
            return new NodeVerdict(ControlState.Unknown, "sshd does not tell its configuration (sshd -T)");
        }

        var differences = SshPolicyRules.Differences(config, RulesFor(facts));
        return differences.IsEmpty
            ? new NodeVerdict(ControlState.InPlace, "keys alone, modern algorithms")
            : new NodeVerdict(
                facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing,
                differences.Length == 1 ? differences[0] : $"{differences[0]}, and {differences.Length - 1} more",
                differences);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        if (Judge(facts).State == ControlState.InPlace)
        {
            return [];
        }

        var readsDropIns = facts.Value(Name, "dropins") == "yes";
        return
        [
            new NodeChange(Name, $"tell sshd to take keys alone, in {DropIn}")
            {
                Files = [new NodeFile(DropIn, SshPolicyRules.File(RulesFor(facts)), "600")],
                Touches = readsDropIns ? [] : [SshdConfig.File],
                Apply = (readsDropIns ? "" : SshdConfig.ReadDropIns + "\n") + SshdConfig.Reload,
                Restore = Restore,
            },
        ];
    }

    /// <inheritdoc/>
    protected override async Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        var methods = await node.TryLoginAsync(["PreferredAuthentications=none", "KexAlgorithms=-sntrup*,mlkem*"], cancellationToken);
        if (!methods.Contains("(publickey)", StringComparison.Ordinal))
        {
            return new NodeVerdict(ControlState.Drifted, "a login without a key is not refused as it should be", [methods]);
        }

        var outdated = await node.TryLoginAsync(["KexAlgorithms=ecdh-sha2-nistp256"], cancellationToken);
        return outdated.Contains("no matching key exchange method", StringComparison.Ordinal)
            ? new NodeVerdict(ControlState.InPlace, "a login with a password is refused, and so is an old algorithm", [methods, outdated])
            : new NodeVerdict(ControlState.Drifted, "a client with an old algorithm is not refused", [outdated]);
    }

    private IEnumerable<(string Keyword, string Value)> RulesFor(NodeFacts facts) =>
        SshPolicyRules.For(kind => facts.Values(Name, kind), Settings.SshForwarding);
}

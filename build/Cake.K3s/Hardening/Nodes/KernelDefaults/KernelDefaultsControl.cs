using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Files;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.KernelDefaults;

/// <summary>The kernel's settings that the kubelet expects, and a kubelet that refuses to run with others (K3s' hardening guide).</summary>
[ProvedBy("test nodes with systemd and sshd", "K3s: a stand-in for its commands and restarts")]
internal sealed class KernelDefaultsControl(PipelineRun run, NodeFleet fleet) : FilesControl(run, fleet)
{
    // The kubelet's own list: with protect-kernel-defaults it ends where one of them differs.
    private static readonly ImmutableArray<(string Key, string Value)> Kernel =
    [
        ("vm.panic_on_oom", "0"), ("vm.overcommit_memory", "1"), ("kernel.panic", "10"), ("kernel.panic_on_oops", "1"),
        ("kernel.keys.root_maxbytes", "25000000"), ("kernel.keys.root_maxkeys", "1000000"),
    ];

    private const string SysctlFile = "/etc/sysctl.d/90-kubelet.conf";

    // The values before the first change: a file that is gone leaves the kernel as it is.
    private const string Former = ChangeScripts.Root + "/KernelDefaults.former";

    /// <inheritdoc/>
    public override string Name => "KernelDefaults";

    /// <inheritdoc/>
    public override string Protects => "The kubelet changes the kernel's settings behind the operator's back, or works with ones it was not made for.";

    /// <inheritdoc/>
    protected override string Description => "set the kernel as the kubelet expects it; let the kubelet refuse anything else";

    /// <inheritdoc/>
    protected override string InPlace => "the kernel is set as the kubelet expects it";

    /// <inheritdoc/>
    protected override ImmutableArray<NodeFile> Wanted { get; } =
    [
        new(SysctlFile, "# Made by Cake.K3s: what the kubelet expects of the kernel.\n" + string.Concat(Kernel.Select(setting => $"{setting.Key}={setting.Value}\n"))),
        new(K3sServer.Settings + "/90-cake-k3s-kernel-defaults.yaml", "# Made by Cake.K3s.\nprotect-kernel-defaults: true\n", "600"),
    ];

    /// <inheritdoc/>
    protected override string OtherFacts =>
        $"sysctl {string.Join(' ', Kernel.Select(setting => setting.Key))} | sed 's/^/kernel=/; s/ = /=/'";

    /// <inheritdoc/>
    protected override string Activate => $"""
        [ -e {Former} ] || sysctl {string.Join(' ', Kernel.Select(setting => setting.Key))} >{Former}
        sysctl -q -p {SysctlFile}
        {K3sServer.Restart}
        """;

    /// <inheritdoc/>
    protected override string Restore => $"""
        if [ -e {Former} ] && [ ! -e {SysctlFile} ]; then
            sysctl -q -p {Former}
            rm -f {Former}
        fi
        {K3sServer.RestartInUndo}
        """;

    /// <inheritdoc/>
    protected override string? NotEffective(NodeFacts facts)
    {
        var now = facts.Values(Name, "kernel").ToHashSet();
        return Kernel.FirstOrDefault(setting => !now.Contains($"{setting.Key}={setting.Value}")) is { Key: { } key } ? $"{key} is not as the kubelet expects it" : null;
    }

    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => ProveByAsync(
        node,
        $$"""
        {{string.Join('\n', Kernel.Select(setting => $"[ \"$(sysctl -n {setting.Key})\" = {setting.Value} ] || {{ echo '{setting.Key} is another' >&2; exit 1; }}"))}}
        [ ! -e /etc/systemd/system/k3s.service ] || systemctl -q is-active k3s || { echo 'k3s does not run with these settings' >&2; exit 1; }
        """,
        "the kernel has the settings, and k3s runs with them",
        cancellationToken);
}

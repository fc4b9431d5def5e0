using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Files;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.UnattendedUpgrades;

/// <summary>Security updates every day, and nothing that takes a node away without being asked.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class UnattendedUpgradesControl(PipelineRun run, NodeFleet fleet) : FilesControl(run, fleet)
{
    private static readonly ImmutableArray<string> Timers = ["apt-daily.timer", "apt-daily-upgrade.timer"];

    /// <inheritdoc/>
    public override string Name => "UnattendedUpgrades";

    /// <inheritdoc/>
    public override string Protects => "Known holes stay open until somebody has time, or an update restarts K3s or reboots all servers at once.";

    /// <inheritdoc/>
    protected override bool IsRisky => false;

    /// <inheritdoc/>
    protected override string Description => "take security updates alone, every day, without a reboot; leave k3s and its routes alone";

    /// <inheritdoc/>
    protected override string InPlace => "security updates every day, no reboot, k3s and its routes left alone";

    /// <summary>The files. They are read in the order of their names, the distribution's being 20 and 50.</summary>
    internal static ImmutableArray<NodeFile> Files { get; } =
    [
        new("/etc/apt/apt.conf.d/52cake-k3s", """
            // Made by Cake.K3s: --target=Undo-UnattendedUpgrades removes it.
            APT::Periodic::Update-Package-Lists "1";
            APT::Periodic::Unattended-Upgrade "1";
            #clear Unattended-Upgrade::Origins-Pattern;
            #clear Unattended-Upgrade::Allowed-Origins;
            Unattended-Upgrade::Origins-Pattern {
                "origin=Debian,codename=${distro_codename},label=Debian-Security";
                "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
                "origin=Ubuntu,archive=${distro_codename}-security";
                "origin=UbuntuESMApps,archive=${distro_codename}-apps-security";
                "origin=UbuntuESM,archive=${distro_codename}-infra-security";
            };
            // kured reboots one node after the other, when the cluster can do without it.
            Unattended-Upgrade::Automatic-Reboot "false";
            Unattended-Upgrade::MinimalSteps "true";

            """),
        new("/etc/needrestart/conf.d/cake-k3s.conf", """
            # Made by Cake.K3s: an update of a library must not restart k3s on all nodes within the same hour.
            $nrconf{override_rc}{qr(^k3s)} = 0;
            1;

            """),
        new("/etc/systemd/networkd.conf.d/cake-k3s.conf", """
            # Made by Cake.K3s: an update restarts networkd, which would remove the routes of the pods' network.
            [Network]
            ManageForeignRoutes=no
            ManageForeignRoutingPolicyRules=no

            """),
    ];

    /// <inheritdoc/>
    protected override ImmutableArray<NodeFile> Wanted => Files;

    /// <inheritdoc/>
    protected override ImmutableArray<string> Touches =>
        [.. Timers.SelectMany(timer => new[] { $"/etc/systemd/system/{timer}", $"/etc/systemd/system/timers.target.wants/{timer}" })];

    /// <inheritdoc/>
    protected override string OtherFacts => $"""
        [ -x /usr/bin/unattended-upgrade ] && echo installed=yes
        for timer in {string.Join(' ', Timers)}; do systemctl -q is-enabled $timer && systemctl -q is-active $timer || printf 'stopped=%s\n' $timer; done
        """;

    /// <inheritdoc/>
    protected override string Activate => $"""
        systemctl -q unmask {string.Join(' ', Timers)}
        systemctl daemon-reload
        systemctl -q enable --now {string.Join(' ', Timers)}
        ! systemctl -q is-active systemd-networkd || systemctl restart systemd-networkd
        """;

    /// <inheritdoc/>
    protected override string Restore => $"""
        systemctl daemon-reload
        for timer in {string.Join(' ', Timers)}; do systemctl -q is-enabled $timer || systemctl -q stop $timer || :; done
        ! systemctl -q is-active systemd-networkd || systemctl restart systemd-networkd
        """;

    /// <inheritdoc/>
    protected override string? NotEffective(NodeFacts facts) =>
        facts.Value(Name, "installed") != "yes" ? "unattended-upgrades is not installed"
        : facts.Values(Name, "stopped").FirstOrDefault() is { } timer ? $"{timer} does not run"
        : null;

    /// <inheritdoc/>
    protected override void Require(NodeFacts facts)
    {
        if (facts.Value(Name, "installed") != "yes")
        {
            throw new NodeException(facts.Node, $"{Name}: node {facts.Node} has no unattended-upgrades", "Install it: apt-get install unattended-upgrades");
        }
    }

    // Asked of the programs themselves: what they make of all their files together.
    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => ProveByAsync(
        node,
        """
        origins=$(unattended-upgrade --dry-run -v 2>&1 | grep -i 'allowed origins are') || { echo 'unattended-upgrade does not tell its origins' >&2; exit 1; }
        echo "$origins"
        for origin in $(echo "$origins" | sed 's/.*: //' | tr -d ' '  | tr '"' ' '); do
            case $origin in ''|*ecurity*) ;; *) echo "updates are taken from $origin as well" >&2; exit 1 ;; esac
        done
        reboot=$(apt-config dump Unattended-Upgrade::Automatic-Reboot)
        echo "$reboot"
        case $reboot in *'"false"'*) ;; *) echo 'updates reboot the node' >&2; exit 1 ;; esac
        if [ -e /etc/needrestart/needrestart.conf ]; then
            perl -e 'our %nrconf; do "/etc/needrestart/needrestart.conf"; die $@ if $@;
                grep { "k3s.service" =~ $_ && !$nrconf{override_rc}{$_} } keys %{$nrconf{override_rc}} or die "needrestart restarts k3s\n"'
            echo 'needrestart leaves k3s alone'
        fi
        """,
        "updates come from security origins alone, do not reboot and do not restart k3s",
        cancellationToken);
}

using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Sshd;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.Fail2Ban;

/// <summary>Who fails to log in over SSH again and again is banned for a while; operators, nodes and the cluster never are.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class Fail2BanControl(PipelineRun run, NodeFleet fleet) : NodeControl(run, fleet)
{
    // The last file that fail2ban reads.
    private const string Jail = "/etc/fail2ban/jail.d/zz-cake-k3s.local";
    private const string Enablement = "/etc/systemd/system/multi-user.target.wants/fail2ban.service";

    // The package's name stands in here while it is one that this control installed.
    private const string Installed = ChangeScripts.Root + "/Fail2Ban.installed";

    /// <summary>How long another program's lock of dpkg is waited for.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public override string Name => "Fail2Ban";

    /// <inheritdoc/>
    public override string Protects => "Nobody tries passwords and keys over SSH for hours.";

    /// <inheritdoc/>
    public override ImmutableArray<string> SharedScripts => [SshdConfig.SharedScript];

    /// <inheritdoc/>
    public override string FactScript => $$"""
        [ -x /usr/bin/fail2ban-server ] && [ -e /usr/lib/python3/dist-packages/systemd/__init__.py ] && echo installed=yes
        systemctl -q is-active fail2ban && [ -S /run/fail2ban/fail2ban.sock ] && echo active=yes
        systemctl -q is-enabled fail2ban && echo enabled=yes
        sed 's/^/jail=/' {{Jail}}
        {{SshdConfig.FactScript}}
        """;

    /// <inheritdoc/>
    protected override bool IsRisky => false;

    // Where the package came with this control it goes with it; where it was there it may have failed to run before as well.
    /// <inheritdoc/>
    protected override string Restore => $$"""
        systemctl daemon-reload
        if [ -e {{Installed}} ] && [ ! -e {{Jail}} ]; then
            systemctl stop fail2ban
            {{AptPackages.Purge("fail2ban", LockWait)}}
            rm -f {{Installed}}
        elif systemctl -q is-enabled fail2ban; then
            systemctl restart fail2ban || :
        else
            systemctl stop fail2ban || :
        fi
        """;

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        var missing = facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing;
        if (facts.Value(Name, "installed") != "yes")
        {
            return new NodeVerdict(missing, "fail2ban, or its access to the journal, is not installed");
        }

        var jail = string.Concat(facts.Values(Name, "jail").Select(line => line + "\n"));
        return jail != JailFor(facts) ? new NodeVerdict(missing, jail.Length == 0 ? "there is no jail for SSH" : $"{Jail} is not as it should be")
            : facts.Value(Name, "active") != "yes" ? new NodeVerdict(missing, "fail2ban does not run")
            : facts.Value(Name, "enabled") != "yes" ? new NodeVerdict(missing, "fail2ban is not started at boot")
            : new NodeVerdict(ControlState.InPlace, $"{Fail2BanJail.MaxRetry} failed logins within {Fail2BanJail.FindTime} lead to a ban of {Fail2BanJail.BanTime}");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        if (Judge(facts).State == ControlState.InPlace)
        {
            return [];
        }

        var install = facts.Value(Name, "installed") == "yes" ? "" : $"""
            [ -x /usr/bin/fail2ban-server ] || echo fail2ban >{Installed}
            {AptPackages.Install("fail2ban python3-systemd", LockWait)}

            """;
        return
        [
            new NodeChange(Name, (install.Length == 0 ? "" : "install fail2ban, ") + $"write the jail for SSH to {Jail}, start fail2ban")
            {
                Files = [new NodeFile(Jail, JailFor(facts))],
                Touches = [Enablement],
                Apply = install + """
                    # It takes a second where the package has a script for SysV's init as well.
                    systemctl -q is-enabled fail2ban || systemctl -q enable fail2ban
                    systemctl reset-failed fail2ban
                    systemctl restart fail2ban
                    tries=100
                    until [ -S /run/fail2ban/fail2ban.sock ] && fail2ban-client status sshd >/dev/null 2>&1; do
                        tries=$((tries - 1))
                        if [ $tries = 0 ] || systemctl -q is-failed fail2ban; then
                            journalctl -q -n 5 -o cat -u fail2ban >&2
                            echo 'fail2ban does not run' >&2
                            exit 1
                        fi
                        sleep 0.1
                    done
                    """,
                Restore = Restore,
            },
        ];
    }

    /// <inheritdoc/>
    protected override async Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        var result = await node.TryRunAsync(BanProbe.Script(facts.SshPort), cancellationToken);
        return result.ExitCode == 0
            ? new NodeVerdict(ControlState.InPlace, "failed logins from a second address led to a ban, and the ban was lifted", Lines(result.Output))
            : new NodeVerdict(ControlState.Drifted, "failed logins from a second address led to no ban", Lines(result.Output + result.Errors));
    }

    private string JailFor(NodeFacts facts)
    {
        var ports = SshdConfig.Parse(facts.Values(Name, "sshd")).Ports;
        return Fail2BanJail.File([.. ports, SshdConfig.DefaultPort, Settings.SshPort ?? SshdConfig.DefaultPort], OperatorsFor(facts), Others());
    }

    // Where deploy.yaml names none it is whoever wrote the jail: it must not differ from run to run.
    private ImmutableArray<string> OperatorsFor(NodeFacts facts)
    {
        if (!Settings.Operators.IsEmpty)
        {
            return Settings.Operators;
        }

        var written = facts.Values(Name, "jail").FirstOrDefault(line => line.StartsWith(Fail2BanJail.OperatorMark, StringComparison.Ordinal));
        return [written?[Fail2BanJail.OperatorMark.Length..] ?? facts.OperatorAddress];
    }

    private IEnumerable<string> Others() =>
        [.. Environment.Nodes.SelectMany(node => node.Addresses.IsEmpty ? [node.Host] : node.Addresses), Settings.PodRange, Settings.ServiceRange];

    private static ImmutableArray<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}

using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Another port, with every way in which a node's SSH may be set up.</summary>
[Parallelizable(ParallelScope.Self)]
[TestFixture(Setup.Plain)]
[TestFixture(Setup.PortInItsFile)]
[TestFixture(Setup.Firewall)]
[TestFixture(Setup.Socket)]
[TestFixture(Setup.SocketWithGenerator)]
public sealed class SshPortTests(SshPortTests.Setup setup) : ControlTest
{
    public enum Setup
    {
        Plain,
        PortInItsFile,
        Firewall,
        Socket,
        SocketWithGenerator,
    }

    private protected override HardeningSettings Hardening => new() { SshPort = 2222 };

    private protected override string[] Directories => ["/etc"];

    private protected override IControl Make(Operator someone) => someone.Use((run, fleet) => new SshPortControl(run, fleet, someone.Files));

    private protected override async Task PrepareAsync(BedNode machine) => await machine.RunAsync(setup switch
    {
        Setup.PortInItsFile => "sed -i 's/^#Port 22/Port 22/' /etc/ssh/sshd_config; systemctl restart ssh",
        Setup.Firewall => $"ufw allow from {SharedBed.Bed.OperatorAddress} to any port 22 proto tcp comment 'who runs it'; ufw limit from 10.99.0.0/16 to any app OpenSSH; ufw --force enable",
        Setup.Socket => "systemctl disable --now ssh.service; systemctl enable --now ssh.socket",

        // Does what Ubuntu's sshd-socket-generator is documented to do.
        Setup.SocketWithGenerator => """
            cat >/usr/lib/systemd/system-generators/sshd-socket-generator <<'EOF'
            #!/bin/sh
            mkdir -p /run/sshd "$1/ssh.socket.d"
            { echo '[Socket]'; echo 'ListenStream='; /usr/sbin/sshd -T -f /etc/ssh/sshd_config 2>/dev/null | sed -n 's/^port \(.*\)/ListenStream=0.0.0.0:\1\nListenStream=[::]:\1/p'; echo 'BindIPv6Only=ipv6-only'; } >"$1/ssh.socket.d/addresses.conf"
            EOF
            chmod 755 /usr/lib/systemd/system-generators/sshd-socket-generator
            systemctl disable --now ssh.service
            systemctl daemon-reload
            systemctl enable --now ssh.socket
            """,
        _ => "true",
    });

    private protected override async Task LookAsync(BedNode machine, Operator someone)
    {
        Assert.That(await File.ReadAllTextAsync(someone.SshConfig), Does.StartWith($"# Cake.K3s SshPort {machine.Address}\nHost {machine.Address}\n    Port 2222\n"));
        Assert.That(await machine.RunAsync("ss -Hltn 'sport = :2222' | wc -l"), Is.EqualTo("2"), "both families");
        if (setup == Setup.Firewall)
        {
            Assert.That(await machine.RunAsync("ufw show added | grep -c '2222.*cake-k3s'; ufw show added | grep -c -e 'port 22 ' -e OpenSSH", 1), Is.EqualTo("2\n0"));
        }
    }
}

using Cake.K3s.Hardening.Nodes.SshPort;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class SshPortLinesTests
{
    [TestCase("""LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=614,fd=3))""", 22, "sshd")]
    [TestCase("""LISTEN 0      4096            [::]:2222          [::]:*    users:(("systemd",pid=1,fd=52))""", 2222, "systemd")]
    [TestCase("LISTEN 0      4096               *:6443             *:*", 6443, "another program")]
    public void Should_KnowPortAndProgram_When_SsTellsAListener(string line, int port, string program)
    {
        var listener = Listener.Parse(line);

        Assert.That((listener?.Port, listener?.Program), Is.EqualTo(((int?)port, program)));
    }

    [TestCase("/etc/ssh/sshd_config:Port 22", "Port", "22", false)]
    [TestCase("/etc/ssh/sshd_config:  ListenAddress 0.0.0.0", "ListenAddress", "0.0.0.0", false)]
    [TestCase("/etc/ssh/sshd_config:ListenAddress ::", "ListenAddress", "::", false)]
    [TestCase("/etc/ssh/sshd_config:ListenAddress 10.0.0.1:22", "ListenAddress", "10.0.0.1:22", true)]
    [TestCase("/etc/ssh/sshd_config:ListenAddress=[::1]:22", "ListenAddress", "[::1]:22", true)]
    public void Should_SeeWhatTiesSshToAPort_When_ALineOfSshdIsRead(string line, string keyword, string value, bool tied)
    {
        var parsed = ConfigLine.Parse(line);

        Assert.That((parsed?.File, parsed?.Keyword, parsed?.Value, parsed?.NamesAddressWithPort), Is.EqualTo(("/etc/ssh/sshd_config", keyword, value, (bool?)tied)));
    }
}

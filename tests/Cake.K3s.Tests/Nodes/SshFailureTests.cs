using Cake.K3s.Nodes.Ssh;

namespace Cake.K3s.Tests.Nodes;

/// <summary>What the OpenSSH client 9.2 and sudo 1.9 write.</summary>
public sealed class SshFailureTests
{
    [TestCase("@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nHost key verification failed.", "another host key", "ssh-keygen -R", false)]
    [TestCase("root@node-1: Permission denied (publickey).", "refuses the login", "ssh-add", false)]
    [TestCase("sudo: a password is required", "may not become root", "NOPASSWD", false)]
    [TestCase("sh: 1: exec: sudo: not found", "may not become root", "NOPASSWD", false)]
    [TestCase("ssh: connect to host node-1 port 22: Connection refused", "cannot be reached: ssh: connect to host node-1 port 22: Connection refused", "ssh node-1 -p 2222", true)]
    [TestCase("ssh: Could not resolve hostname node-1: Name or service not known", "cannot be reached", "--nodes", true)]
    [TestCase("", "cannot be reached", "--nodes", true)]
    public void Should_TellTheCauseAndTheFix_When_ANodeIsNotReached(string errors, string cause, string fix, bool isNetwork)
    {
        var failure = SshFailure.Of("n1", new SshTarget("node-1", 2222, null, "node-1"), "/known_hosts", errors);

        Assert.That(failure.Summary, Does.Contain(cause).And.Contain("n1"));
        Assert.That(failure.NextStep, Does.Contain(fix));
        Assert.That(SshFailure.IsNetwork(errors), Is.EqualTo(isNetwork));
    }
}

using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.SshPolicy;
using Cake.K3s.NodeBed;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Keys alone.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class SshPolicyTests : ControlTest
{
    private protected override IControl Make(Operator someone) => someone.Use((run, fleet) => new SshPolicyControl(run, fleet));

    private protected override string User => "deploy";

    private protected override string[] Directories => ["/etc"];

    private protected override async Task PrepareAsync(BedNode machine) => Assert.That(await PasswordLoginAsync(machine), Does.EndWith("let in"));

    private protected override async Task LookAsync(BedNode machine, Operator someone) =>
        Assert.That(await PasswordLoginAsync(machine), Does.Contain("Permission denied (publickey)"));

    // With the right password, from the node itself, at its console.
    private static Task<string> PasswordLoginAsync(BedNode machine) => machine.RunAsync("""
        printf '#!/bin/sh\necho bed\n' >/run/password
        chmod 755 /run/password
        SSH_ASKPASS=/run/password SSH_ASKPASS_REQUIRE=force ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
            -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 deploy@127.0.0.1 echo let in 2>&1
        """, 255);
}

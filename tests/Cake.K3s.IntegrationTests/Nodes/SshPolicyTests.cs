using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.SshPolicy;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Keys alone.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class SshPolicyTests : ControlTest
{
    private protected override IControl Make(Operator someone) => someone.Use((run, fleet) => new SshPolicyControl(run, fleet));

    private protected override string User => "deploy";

    private protected override string[] Directories => ["/etc"];
}

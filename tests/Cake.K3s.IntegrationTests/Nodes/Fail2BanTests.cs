using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.Fail2Ban;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Bans, with the packages of the node's release.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class Fail2BanTests : ControlTest
{
    private protected override IControl Make(Operator someone) => someone.Use((run, fleet) => new Fail2BanControl(run, fleet));

    private protected override string[] Directories => ["/etc"];
}

using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Reports;

namespace Cake.K3s.Tests.Hardening.Reports;

public sealed class FindingTableTests
{
    private static readonly Finding[] Findings =
    [
        new("NetworkPolicies", "honeydue/default-deny-ingress", ControlState.Missing, "there is no NetworkPolicy/default-deny-ingress", []),
        new("Tracing", "", ControlState.NotApplicable, "hardening.tracing of the environment is not set in deploy.yaml", []),
    ];

    [Test]
    public void Should_AlignAllColumns_When_ThereIsRoom() => Assert.That(FindingTable.Of(Findings, 200), Is.EqualTo(new[]
    {
        "CONTROL          TARGET                         STATE           SUMMARY",
        "NetworkPolicies  honeydue/default-deny-ingress  missing         there is no NetworkPolicy/default-deny-ingress",
        "Tracing                                         not applicable  hardening.tracing of the environment is not set in deploy.yaml",
    }));

    [Test]
    public void Should_PutSummariesOnLinesOfTheirOwn_When_ThereIsNot() => Assert.That(FindingTable.Of(Findings, 60), Is.EqualTo(new[]
    {
        "CONTROL  TARGET  STATE",
        "    SUMMARY",
        "NetworkPolicies  honeydue/default-deny-ingress  missing",
        "    there is no NetworkPolicy/default-deny-ingress",
        "Tracing  -  not applicable",
        "    hardening.tracing of the environment is not set in",
        "    deploy.yaml",
    }));
}

using System.Net;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Tests.Engine;

[TestFixture]
internal sealed class EngineRulesTests
{
    private static readonly IPNetwork Addresses = IPNetwork.Parse("10.201.7.0/24");

    private static readonly string[] Filter =
    [
        "-P INPUT ACCEPT",
        "-P FORWARD ACCEPT",
        "-N DOCKER",
        "-N DOCKER-ISOLATION-STAGE-1",
        "-N DOCKER-USER",
        "-A INPUT -p tcp -m comment --comment \"mine, \\\"not\\\" docker's\" -j ACCEPT",
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
        "-A FORWARD -o cks1234 -j DOCKER",
        "-A FORWARD -i cks1234 ! -o cks1234 -j ACCEPT",
        "-A DOCKER -d 10.201.7.5/32 ! -i cks1234 -o cks1234 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A DOCKER-ISOLATION-STAGE-1 -j RETURN",
        "-A DOCKER-USER -j RETURN",
    ];

    [Test]
    public void Should_DeleteRulesOfTheBridgeAlone_When_OthersAreThere()
    {
        var removals = EngineRules.Own(Filter, "cks1234", Addresses).Select(words => string.Join(' ', words));

        Assert.That(removals, Is.EqualTo(new[]
        {
            "-D FORWARD -o cks1234 -j DOCKER",
            "-D FORWARD -i cks1234 ! -o cks1234 -j ACCEPT",
            "-D DOCKER -d 10.201.7.5/32 ! -i cks1234 -o cks1234 -p tcp -m tcp --dport 80 -j ACCEPT",
        }));
    }

    [Test]
    public void Should_DeleteRulesOfAUsersNetwork_When_ItsAddressesAreTheSandboxs()
    {
        string[] nat = ["-A POSTROUTING -s 10.201.7.128/28 ! -o br-77 -j MASQUERADE", "-A DOCKER -i br-77 -j RETURN", "-A DOCKER -i br-88 -j RETURN"];

        var removals = EngineRules.Own(nat, "cks1234", Addresses).Select(words => string.Join(' ', words));

        Assert.That(removals, Is.EqualTo(new[]
        {
            "-D POSTROUTING -s 10.201.7.128/28 ! -o br-77 -j MASQUERADE",
            "-D DOCKER -i br-77 -j RETURN",
        }));
    }

    [Test]
    public void Should_DeleteDockersChains_When_NoEngineUsesThem()
    {
        string[] left = [.. Filter.Where(rule => !rule.Contains("cks1234"))];

        var removals = EngineRules.UnusedChains(left).Select(words => string.Join(' ', words));

        Assert.That(removals, Is.EqualTo(new[]
        {
            "-D FORWARD -j DOCKER-USER",
            "-D FORWARD -j DOCKER-ISOLATION-STAGE-1",
            "-D DOCKER-ISOLATION-STAGE-1 -j RETURN",
            "-D DOCKER-USER -j RETURN",
            "-X DOCKER",
            "-X DOCKER-ISOLATION-STAGE-1",
            "-X DOCKER-USER",
        }));
    }

    [Test]
    public void Should_LeaveDockersChains_When_AnotherEngineHasARuleInThem()
    {
        Assert.That(EngineRules.UnusedChains([.. Filter, "-A DOCKER -i docker0 -j RETURN"]), Is.Empty);
    }

    [Test]
    public void Should_KeepAQuotedCommentOneWord_When_ItHasSpaces()
    {
        string[] rules = ["-A FORWARD -i cks1234 -m comment --comment \"a \\\"b\\\" c\" -j ACCEPT"];

        Assert.That(EngineRules.Own(rules, "cks1234", Addresses).Single(), Does.Contain("a \"b\" c"));
    }
}

using Cake.K3s.Sandbox.Node.Pods;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class VariableExpansionTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["NAME"] = "api", ["EMPTY"] = "" };

    [TestCase("--name=$(NAME)", "--name=api")]
    [TestCase("$(NAME)-$(NAME)", "api-api")]
    [TestCase("[$(EMPTY)]", "[]")]
    [TestCase("$(MISSING)", "$(MISSING)", Description = "unknown names stay")]
    [TestCase("$$(NAME)", "$(NAME)", Description = "two dollars are one, and end the reference")]
    [TestCase("$NAME ${NAME}", "$NAME ${NAME}", Description = "the shell's forms are the shell's")]
    [TestCase("$(NAME", "$(NAME")]
    [TestCase("cost: 5$", "cost: 5$")]
    public void Should_Expand_As_Kubernetes_Does_When_A_Value_Refers_To_Variables(string input, string expected) =>
        Assert.That(VariableExpansion.Expand(input, Variables), Is.EqualTo(expected));
}

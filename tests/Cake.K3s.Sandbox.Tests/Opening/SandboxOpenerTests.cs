using System.Collections.Immutable;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Tests.Opening;

[TestFixture]
internal sealed class SandboxOpenerTests
{
    [Test]
    public void Should_PreferTheEnvironments_When_AnImageHasTheSameArgument()
    {
        var settings = new DeploySettings
        {
            App = "app",
            Images = ImmutableDictionary<string, ImageSettings>.Empty
                .Add("api", new ImageSettings { Context = "api", Arguments = Arguments(("BASE", "a"), ("LEVEL", "1")) })
                .Add("web", new ImageSettings { Context = "web" }),
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty,
        };
        var environment = new EnvironmentSettings
        {
            Arguments = ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty.Add("api", Arguments(("BASE", "sandbox://aspnet"))),
        };

        var arguments = SandboxOpener.ArgumentsOf(settings, environment);

        Assert.That(arguments["api"], Is.EquivalentTo(Arguments(("BASE", "sandbox://aspnet"), ("LEVEL", "1"))));
        Assert.That(arguments["web"], Is.Empty);
    }

    private static ImmutableDictionary<string, string> Arguments(params (string Name, string Value)[] values) =>
        values.ToImmutableDictionary(value => value.Name, value => value.Value);
}

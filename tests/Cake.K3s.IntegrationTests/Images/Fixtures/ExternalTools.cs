using System.Collections.Immutable;
using Cake.K3s.Processes;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>The real programs that these tests run. Where one is missing the test is skipped; it fails where CI=true.</summary>
internal static class ExternalTools
{
    public static ICommandRunner Commands { get; } = new CommandRunner(new SecretMask(), TimeProvider.System);

    public static Task<Tool> RequireAsync(ToolName name)
    {
        var program = name switch
        {
            ToolName.Registry => "docker-registry",
            ToolName.Buildx => "docker-buildx",
            _ => name.ToString().ToLowerInvariant(),
        };
        var path = ProgramPath.Find(program, Environment.GetEnvironmentVariable("PATH"));
        Require(path is not null, $"{program} is not on PATH");
        return Task.FromResult(new Tool(name, path!, ImmutableDictionary<string, string?>.Empty, "PATH"));
    }

    /// <summary>The address of a Docker engine that builds.</summary>
    public static string RequireEngine()
    {
        var address = Environment.GetEnvironmentVariable("DOCKER_HOST") ?? "unix:///var/run/docker.sock";
        Require(!address.StartsWith("unix://", StringComparison.Ordinal) || File.Exists(address["unix://".Length..]), $"there is no Docker engine at {address}");
        return address;
    }

    private static void Require(bool condition, string reason)
    {
        if (condition)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.Fail(reason);
        }

        Assert.Ignore(reason);
    }
}

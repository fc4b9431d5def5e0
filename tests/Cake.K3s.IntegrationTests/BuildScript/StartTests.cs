using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Tests.Fixtures;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.BuildScript;

/// <summary>What the host loads for a question that needs nothing of it.</summary>
public sealed class StartTests
{
    // Kubernetes, Docker, git, database, HTTP server, YAML: each costs a good part of the whole start.
    private static readonly string[] Heavy =
        ["KubernetesClient", "Docker.DotNet", "LibGit2Sharp", "Npgsql", "Microsoft.AspNetCore", "Yarp", "YamlDotNet", "Octokit", "Polly"];

    [TestCase("--tree")]
    [TestCase("--help")]
    [TestCase("--target=Default")]
    public async Task Should_Load_Neither_Kubernetes_Nor_Docker_Code(string argument)
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "loaded");

        var run = await CliWrap.Cli.Wrap("dotnet")
            .WithArguments([Path.Combine(AppContext.BaseDirectory, "Build.dll"), argument])
            .WithWorkingDirectory(TestSandbox.RepositoryRoot)
            .WithEnvironmentVariables(variables => variables
                .Set("DOTNET_STARTUP_HOOKS", typeof(StartTests).Assembly.Location)
                .Set(StartupHook.FileVariable, file))
            .ExecuteBufferedAsync();

        var loaded = await File.ReadAllLinesAsync(file);
        Assert.That(run.StandardOutput, Does.Contain("VerifyRollout"));
        Assert.That(loaded, Does.Contain("Cake.Core"));
        Assert.That(loaded.Where(name => Heavy.Any(heavy => name.StartsWith(heavy, StringComparison.Ordinal))), Is.Empty);
    }
}

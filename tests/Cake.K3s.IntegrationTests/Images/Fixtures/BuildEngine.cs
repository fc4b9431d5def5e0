using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>A Docker engine that builds: the one that is reachable and fits, else a sandbox's private one.</summary>
internal sealed class BuildEngine : IAsyncDisposable
{
    private TestSandbox? _sandbox;

    public string Address { get; private set; } = "";

    public static async Task<BuildEngine> StartAsync()
    {
        var engine = new BuildEngine();
        using var sandboxRoot = new Cake.K3s.Tests.Fixtures.TemporaryDirectory();
        var found = await EngineSelection.FindAsync(new(sandboxRoot.File(".sandbox")), Environment.GetEnvironmentVariable("DOCKER_HOST"), new RecordingReporter(), default);
        if (found is not null)
        {
            engine.Address = found.DockerHost;
            return engine;
        }

        TestSandbox.Require();
        engine._sandbox = new TestSandbox();
        engine.Address = (await engine._sandbox.OpenAsync()).DockerHost;
        return engine;
    }

    public ValueTask DisposeAsync() => _sandbox?.DisposeAsync() ?? ValueTask.CompletedTask;
}

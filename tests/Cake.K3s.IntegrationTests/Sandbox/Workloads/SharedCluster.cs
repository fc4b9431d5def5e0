using System.Runtime.Versioning;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>One sandbox for all tests of workloads; they keep apart by namespace.</summary>
[SetUpFixture]
[Parallelizable(ParallelScope.Self | ParallelScope.Fixtures)]
[SupportedOSPlatform("linux")]
internal sealed class SharedCluster
{
    private static TestCluster? _cluster;

    public static TestCluster Instance => _cluster ?? throw new InvalidOperationException("the sandbox is not up");

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await TestCluster.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}

using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>One network for all tests of this namespace; each fixture starts nodes of its own in it.</summary>
[SetUpFixture]
[Parallelizable(ParallelScope.Self | ParallelScope.Fixtures)]
internal sealed class SharedBed
{
    private static Bed? _bed;

    public static Bed Bed => _bed ?? throw new InvalidOperationException("there is no bed");

    /// <summary>Skips the test where nodes cannot run; on CI that is a failure.</summary>
    public static void Require()
    {
        if (Bed.Missing is { } reason)
        {
            if (EnvironmentVariables.OfProcess.IsCI)
            {
                Assert.Fail(reason);
            }

            Assert.Ignore(reason);
        }
    }

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        Require();
        _bed = await Bed.StartAsync(TestSandbox.RepositoryRoot, TestContext.Progress.WriteLine);
        _bed.BootAhead(2);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_bed is not null)
        {
            await _bed.DisposeAsync();
        }
    }
}

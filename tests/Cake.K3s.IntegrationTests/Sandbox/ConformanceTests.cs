using System.Collections.Immutable;
using Cake.K3s.Processes;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>Runs tests/Conformance, which knows nothing of it, on a sandbox.</summary>
[Category("Sandbox")]
internal sealed class ConformanceTests
{
    private TestSandbox _sandbox = null!;

    [OneTimeSetUp]
    public void Start()
    {
        TestSandbox.Require();
        _sandbox = new TestSandbox();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_sandbox is not null)
        {
            await _sandbox.DisposeAsync();
        }
    }

    [Test]
    public async Task Should_behave_as_a_real_cluster_does_When_real_clients_use_it()
    {
        var addresses = await _sandbox.OpenAsync();
        var kubectl = await _sandbox.Get<IToolbox>().RequireAsync(ToolName.Kubectl, "the conformance tests", CancellationToken.None);
        var tests = Path.Combine(AppContext.BaseDirectory.Replace("Cake.K3s.IntegrationTests", "Conformance", StringComparison.Ordinal), "Conformance.dll");

        var result = await _sandbox.Get<ICommandRunner>().RunAsync(
            new Command("dotnet", "test", tests, "--filter", "Category=Conformance", "--logger", "console;verbosity=normal")
            {
                Purpose = "run the conformance tests",
                Environment = ImmutableDictionary<string, string?>.Empty
                    .Add("CONFORMANCE_KUBECONFIG", addresses.Kubeconfig)
                    .Add("CONFORMANCE_IMAGE", await _sandbox.BaseImageAsync("redis"))
                    .Add("KUBECTL", kubectl.Path),
                OnLine = line => TestContext.Out.WriteLine(line.Text),
                AcceptedExitCodes = [0, 1],
                Timeout = TimeSpan.FromMinutes(10),
            },
            CancellationToken.None);

        Assert.That(result.ExitCode, Is.Zero, "the output above names the tests that failed");
    }
}

using System.Diagnostics;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Tools;

/// <summary>The real host, killed while it fetches a tool, and started again.</summary>
[Platform("Linux")]
public sealed class KilledRunTests
{
    private readonly CommandRunner _runner = new(new SecretMask(), TimeProvider.System);
    private DirectoryInfo _root;

    [SetUp]
    public async Task MakeRepositoryAsync()
    {
        if (ProgramPath.Find("apt-get", EnvironmentVariables.OfProcess["PATH"]) is null && !EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Ignore("there is no apt-get here");
        }

        _root = Directory.CreateTempSubdirectory("cake-k3s-killed-");
        await File.WriteAllTextAsync(Path.Combine(_root.FullName, "deploy.yaml"), """
            app: app
            images: {}
            environments:
              real:
                cluster: {kubeconfig: none}
                registry: {address: registry.invalid/app}
            """);
    }

    [TearDown]
    public void Remove() => _root?.Delete(recursive: true);

    [TestCase("apt/*/*/lists/partial/*", TestName = "Should_fetch_the_tool_When_the_run_before_was_killed_while_it_updated_the_lists")]
    [TestCase("cosign/.partial-*/.archives/*", TestName = "Should_fetch_the_tool_When_the_run_before_was_killed_while_it_downloaded")]
    [TestCase("cosign/.partial-*/usr", TestName = "Should_fetch_the_tool_When_the_run_before_was_killed_while_it_unpacked")]
    public async Task Should_fetch_the_tool_When_the_run_before_was_killed(string moment)
    {
        // No cosign on this PATH: it has to be fetched.
        var dotnet = ProgramPath.Find("dotnet", EnvironmentVariables.OfProcess["PATH"])!;
        var host = new Command(dotnet, Path.Combine(AppContext.BaseDirectory, "Build.dll"), "--target=SignKeyCreate", "--environment=real")
        {
            WorkingDirectory = _root.FullName,
            Timeout = TimeSpan.FromMinutes(3),
        };
        host = host with { Environment = host.Environment.Add("PATH", "/usr/bin:/bin") };
        var tools = Path.Combine(_root.FullName, ".tools");

        using (var killed = Process.GetProcessById(_runner.StartDetached(host, Path.Combine(_root.FullName, "log"))))
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (!PathPattern.Expand(tools, moment).Any())
            {
                await Task.Delay(2, limit.Token);
            }

            killed.Kill();
            await killed.WaitForExitAsync(limit.Token);
        }

        Assert.That(new ContentStore(tools).Find("cosign", ToolCatalog.All[ToolName.Cosign].Recipe), Is.Null);
        await _runner.RunAsync(host, CancellationToken.None);

        var folder = Directory.EnumerateDirectories(Path.Combine(tools, "cosign")).Single(name => !Path.GetFileName(name).StartsWith('.'));
        await _runner.RunAsync(new Command(Path.Combine(folder, "usr/bin/cosign"), "version"), CancellationToken.None);
        Assert.That(Path.Combine(_root.FullName, "cosign.pub"), Does.Exist);
    }
}

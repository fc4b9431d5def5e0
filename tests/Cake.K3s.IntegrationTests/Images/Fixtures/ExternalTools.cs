using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Debian;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>The real programs that these tests run. Where one cannot be had the test is skipped; it fails on CI.</summary>
internal static class ExternalTools
{
    private static readonly ServiceProvider Services = new ServiceCollection()
        .AddSingleton(new RunOptions { Root = TestSandbox.RepositoryRoot, SettingsFile = Path.Combine(TestSandbox.RepositoryRoot, "deploy.yaml") })
        .AddSingleton<IReporter, RecordingReporter>()
        .AddProcesses()
        .AddTools()
        .BuildServiceProvider();

    public static ICommandRunner Commands => Services.GetRequiredService<ICommandRunner>();

    public static IDebianPackages Packages => Services.GetRequiredService<IDebianPackages>();

    public static IToolbox Toolbox => Services.GetRequiredService<IToolbox>();

    /// <summary>A toolbox whose cosign is one of major version 3, from Debian's unstable branch.</summary>
    public static IToolbox WithCosign3 { get; } = new Toolbox(
        ImmutableDictionary<ToolName, ToolDefinition>.Empty.Add(
            ToolName.Cosign,
            ToolCatalog.All[ToolName.Cosign] with { Title = "cosign-unstable", Programs = ["cosign-3"], Debian = [new(DebianRelease.Unstable, ["cosign"])] }),
        Services.GetRequiredService<ICommandRunner>(),
        Services.GetRequiredService<DebianTools>(),
        Services.GetRequiredService<ReleaseTools>(),
        Services.GetRequiredService<RunOptions>(),
        EnvironmentVariables.OfProcess);

    /// <summary>A folder with programs of Debian's that the product itself does not run; unpacked once.</summary>
    public static async Task<string> UnpackedAsync(DebianRelease release, params string[] packages)
    {
        try
        {
            return await Services.GetRequiredService<ContentStore>().EnsureAsync(packages[0], "tests", FillAsync, default);
        }
        catch (K3sException missing) when (missing.ExitCode == ExitCodes.RequirementMissing && !EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Ignore(missing.Summary);
            throw;
        }

        async Task<string> FillAsync(string directory)
        {
            var found = await Packages.ResolveAsync(release, packages, withDependencies: false, default);
            await Packages.UnpackAsync(release, found, directory, default);
            return found[0].Version;
        }
    }

    public static async Task<Tool> RequireAsync(ToolName name, IToolbox? from = null)
    {
        try
        {
            return await (from ?? Toolbox).RequireAsync(name, "a test", default);
        }
        catch (K3sException missing) when (missing.ExitCode == ExitCodes.RequirementMissing && !EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Ignore(missing.Summary);
            throw;
        }
    }
}

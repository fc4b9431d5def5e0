using System.Collections.Immutable;
using System.Globalization;
using System.Runtime;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Benchmarks;

/// <summary>One deploy as the Deploy task does it: read, rehearse, apply. Prints how long that took and how much memory.</summary>
internal static class ApplyOnce
{
    public static async Task<int> RunAsync(string kubeconfig, string namespaceName, string folder)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var connector = new ClusterConnector(new NoReporter(), TimeProvider.System);
        var inputs = new ManifestInputs
        {
            Root = folder,
            SettingsFile = "deploy.yaml",
            Paths = ["."],
            Namespace = namespaceName,
            Variables = ImmutableDictionary<string, string>.Empty,
            Secrets = ImmutableDictionary<string, Secret?>.Empty,
            Images = ImmutableDictionary<string, string?>.Empty,
        };
        var opening = connector.OpenAsync(new(kubeconfig, null, namespaceName), default);
        var manifests = await new ManifestLoader(new NoPrograms(), new NoPrograms()).LoadAsync(inputs, default);
        var api = await opening;
        var read = TimeProvider.System.GetElapsedTime(started);
        var plan = await Rehearsal.PlanAsync(api, new("bench", namespaceName), manifests.Objects, force: false, keepUnchanged: false, default);
        var planned = TimeProvider.System.GetElapsedTime(started);
        await new Applier(new NoReporter(), TimeProvider.System).ApplyAsync(api, plan, default);
        var total = TimeProvider.System.GetElapsedTime(started);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{total.TotalSeconds:0.000} {PeakMegabytes()} read {read.TotalSeconds:0.000}, planned {planned.TotalSeconds:0.000}, {plan.Objects.Count(item => item.Change != PlannedChange.None)} changed; {api.Retries}; compiled {JitInfo.GetCompiledMethodCount()} methods in {JitInfo.GetCompilationTime().TotalSeconds:0.000} s"));
        return 0;
    }

    private static long PeakMegabytes() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024)
        .Single();

    private sealed class NoReporter : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }

    private sealed class NoPrograms : ICommandRunner, IToolbox
    {
        public Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken) => throw new NotSupportedException();

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();

        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

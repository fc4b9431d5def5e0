using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Lists the releases.</summary>
public sealed class History
{
    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly IReporter _reporter;

    internal History(PipelineRun run, ClusterConnector connector, IReporter reporter)
    {
        _run = run;
        _connector = connector;
        _reporter = reporter;
    }

    /// <summary>Reports each release in one line, the newest first.</summary>
    public async Task WriteAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        var releases = await new ReleaseStore(api, _run.Settings.App).ListAsync(_run.Cancellation);
        if (releases.IsEmpty)
        {
            _reporter.Step("history", $"nothing was deployed to {environment.Name} yet");
        }

        foreach (var release in releases)
        {
            _reporter.Step($"#{release.Number}", Describe(release));
        }
    }

    /// <summary>One release in one line.</summary>
    internal static string Describe(Release release) => string.Join("  ", new[]
    {
        release.State.ToString().PadRight(10),
        release.StartedAt.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        release.Commit is null ? "no commit" : release.Commit[..Math.Min(12, release.Commit.Length)] + (release.IsDirty ? "+changes" : ""),
        $"by {release.By}",
        release.SchemaVersion is null ? null : $"schema {release.SchemaVersion}",
        release.RollbackTo is null ? null : $"rollback to {release.RollbackTo}",
        release.CiRun,
        release.State is ReleaseState.Verified ? null : release.Verdict,
    }.OfType<string>());
}

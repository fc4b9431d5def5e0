using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>Brings nodes up to date with Cloudflare's ranges; for a daily run.</summary>
public sealed class CloudflareRefresh
{
    private readonly PipelineRun _run;
    private readonly CloudflareRangeSource _source;
    private readonly Hardener _hardener;
    private readonly ControlSet _controls;
    private readonly IReporter _reporter;

    internal CloudflareRefresh(PipelineRun run, CloudflareRangeSource source, Hardener hardener, ControlSet controls, IReporter reporter)
    {
        _run = run;
        _source = source;
        _hardener = hardener;
        _controls = controls;
        _reporter = reporter;
    }

    /// <summary>Asks Cloudflare, keeps a good answer, and changes the rules of nodes whose web ports are Cloudflare's alone already.</summary>
    /// <exception cref="K3sException">The answer cannot be had or trusted, and nothing was changed; or a node failed.</exception>
    public async Task RefreshAsync()
    {
        var (now, before) = await _source.RefreshAsync(_run.Cancellation);
        _reporter.Step("cloudflare", before is null ? $"{now.All.Count()} ranges kept in {CloudflareRangeSource.FileName}" : Difference(now, before));

        // A node that lets everybody in is not closed by a refresh.
        var findings = await _controls.Named(CloudflareOnlyControl.ControlName).AuditAsync(_run.Cancellation);
        if (findings.Any(finding => finding.State is ControlState.InPlace or ControlState.Drifted or ControlState.Unfinished))
        {
            await _hardener.HardenAsync(CloudflareOnlyControl.ControlName);
        }
    }

    private static string Difference(CloudflareRanges now, CloudflareRanges before)
    {
        var (added, gone) = (now.All.Except(before.All).ToList(), before.All.Except(now.All).ToList());
        return added.Count + gone.Count == 0
            ? $"the {now.All.Count()} ranges have not changed"
            : $"{now.All.Count()} ranges: {string.Join(", ", added.Select(range => "+" + range).Concat(gone.Select(range => "-" + range)))}";
    }
}

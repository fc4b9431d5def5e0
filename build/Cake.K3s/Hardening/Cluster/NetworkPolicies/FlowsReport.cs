using Cake.Core;
using Cake.K3s.Hosting;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Shows which connections NetworkPolicies let through.</summary>
public sealed class FlowsReport
{
    private readonly PipelineRun _run;
    private readonly NetworkPoliciesControl _control;
    private readonly IConsole _console;

    internal FlowsReport(PipelineRun run, NetworkPoliciesControl control, IConsole console)
    {
        _run = run;
        _control = control;
        _console = console;
    }

    /// <summary>Writes a table, and each connection with the policies that decide on it; with <c>--plan</c> by the folder's policies instead of the cluster's.</summary>
    /// <exception cref="K3sException">The cluster or the policies cannot be read.</exception>
    public async Task WriteAsync()
    {
        var matrix = await _control.MatrixAsync(_run.Options.ShowPlan, _run.Cancellation);
        foreach (var line in matrix.Table().Append("").Concat(matrix.Details()))
        {
            _console.WriteLine("{0}", line);
        }
    }
}

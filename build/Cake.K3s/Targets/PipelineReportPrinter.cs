using Cake.Core;
using Cake.K3s.Hosting;

namespace Cake.K3s.Targets;

/// <summary>Cake's own report, but none below a list or a script: those are read by people, or by a shell.</summary>
internal sealed class PipelineReportPrinter(CakeReportPrinter printer, RunOptions options) : ICakeReportPrinter
{
    public void Write(CakeReport report)
    {
        if (!options.IsListing)
        {
            printer.Write(report);
        }
    }

    public void WriteStep(string name, Core.Diagnostics.Verbosity verbosity) => printer.WriteStep(name, verbosity);

    public void WriteLifeCycleStep(string name, Core.Diagnostics.Verbosity verbosity) => printer.WriteLifeCycleStep(name, verbosity);

    public void WriteSkippedStep(string name, Core.Diagnostics.Verbosity verbosity) => printer.WriteSkippedStep(name, verbosity);
}

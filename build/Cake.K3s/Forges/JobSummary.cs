using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Forges;

/// <summary>Writes what came of the run to the page of the job, where the server has one.</summary>
internal sealed class JobSummary(ForgeJob? job, Lazy<PipelineRun> run, ICakeLog log) : IRunObserver
{
    private readonly RunSummary _summary = new();

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        if (job?.SummaryFile is not { } file)
        {
            return;
        }

        _summary.Observe(runEvent);
        if (runEvent is RunEnded && !run.Value.Options.IsListing)
        {
            try
            {
                File.AppendAllText(file, _summary.Markdown());
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                log.Warning("{0}", $"forge: the job's summary cannot be written: {failure.Message}");
            }
        }
    }
}

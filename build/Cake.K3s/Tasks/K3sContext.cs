using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.K3s.Hosting;

namespace Cake.K3s.Tasks;

/// <summary>What every task is given. Making one reads no file, no credential and starts nothing.</summary>
public sealed class K3sContext : FrostingContext
{
    /// <summary>Made by the host.</summary>
    public K3sContext(ICakeContext context, PipelineRun run)
        : base(context)
    {
        Run = run;
        if (run.Options.IsListing)
        {
            // Cake's headings and report would stand in what a shell reads.
            context.Log.Verbosity = Verbosity.Quiet;
        }
    }

    /// <summary>The run: settings, environment, cancellation.</summary>
    public PipelineRun Run { get; }
}

using System.Runtime.InteropServices;
using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Reporting;
using Cake.K3s.Tasks;

namespace Cake.K3s.Hosting;

/// <summary>Around the whole run: signals cancel it, and wrong input ends it before the first task.</summary>
public sealed class RunLifetime(Lazy<Preflight> preflight, RunEnding ending, IReporter reporter) : FrostingLifetime<K3sContext>, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];

    /// <inheritdoc/>
    public override void Setup(K3sContext context, ISetupContext info)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
        {
            _signals.Add(PosixSignalRegistration.Create(signal, received =>
            {
                received.Cancel = ending.Interrupt();
            }));
        }

        reporter.Report(new RunStarted(info.TargetTask.Name, [.. info.TasksToExecute.Select(task => task.Name)]));

        // Frosting's lifetimes are synchronous; there is no synchronization context to wait on here.
        preflight.Value.CheckAsync(info.TasksToExecute).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public override void Teardown(K3sContext context, ITeardownContext info)
    {
        ending.End(info.ThrownException);
        Dispose();
    }

    /// <summary>Gives signals back to the system.</summary>
    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        _signals.Clear();
    }
}

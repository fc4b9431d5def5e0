using System.Collections.Immutable;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Targets;
using Cake.K3s.Tasks;
using Cake.Shared;

namespace Cake.K3s.Hardening.Roadmap;

/// <summary>Every control, measured now, and every operation: what is there, what is missing, and when it was last proved.</summary>
public sealed class RoadmapReport
{
    private readonly Auditor _auditor;
    private readonly ControlSet _controls;
    private readonly ProofLog _proofs;
    private readonly IEnumerable<IFrostingTask> _tasks;
    private readonly IConsole _console;
    private readonly ICakeLog _log;

    internal RoadmapReport(Auditor auditor, ControlSet controls, ProofLog proofs, IEnumerable<IFrostingTask> tasks, IConsole console, ICakeLog log)
    {
        _auditor = auditor;
        _controls = controls;
        _proofs = proofs;
        _tasks = tasks;
        _console = console;
        _log = log;
    }

    /// <summary>Writes the table; with <c>--verbosity=verbose</c> also what was proved for real and what against a stand-in.</summary>
    public async Task WriteAsync()
    {
        foreach (var line in RoadmapTable.Lines(await ItemsAsync(), _log.Verbosity >= Verbosity.Verbose))
        {
            _console.WriteLine("{0}", line);
        }
    }

    /// <summary>The targets that are operations.</summary>
    internal static IEnumerable<Target> Operations(IEnumerable<IFrostingTask> tasks) => Target.AllOf(tasks.Select(task => task.GetType()))
        .Where(target => TaskGroup.Of(target.Type) == "Operations")
        .OrderBy(target => target.Name, StringComparer.Ordinal);

    /// <summary>The targets that an operation was done by when they ended well: not those that only showed what they would do.</summary>
    internal static IReadOnlySet<string> Done(IEnumerable<IFrostingTask> tasks, RunOptions options) => Operations(tasks)
        .Where(target => options.Confirm || !target.Type.IsDefined(typeof(ShowsUnlessConfirmedAttribute), inherit: false))
        .Select(target => target.Name).ToHashSet();

    /// <summary>The items: the controls in their order, then the operations.</summary>
    internal async Task<ImmutableArray<RoadmapItem>> ItemsAsync()
    {
        var findings = await _auditor.ReadAsync(_controls.All);
        var proofs = _proofs.Read();
        return
        [
            .. _controls.All.Zip(findings, (control, found) => RoadmapTable.Of(control, found, At(control.Name))),
            .. Operations(_tasks).Select(target => new RoadmapItem(target.Name, "operation", "there", target.Description, At(target.Name), ["done, not proved: it shows its own outcome"])),
        ];

        DateTimeOffset? At(string name) => proofs.TryGetValue(name, out var at) ? at : null;
    }
}

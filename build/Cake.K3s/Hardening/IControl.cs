using System.Collections.Immutable;

namespace Cake.K3s.Hardening;

/// <summary>
/// One protection that an environment should have: it can be read, planned, applied, proved by its effect and undone. Every
/// member is safe to call again after it was cut off.
/// </summary>
public interface IControl
{
    /// <summary>The name, as in <c>--target=Harden-NAME</c>.</summary>
    string Name { get; }

    /// <summary>What it protects against, in one sentence.</summary>
    string Protects { get; }

    /// <summary>Where it works.</summary>
    ControlScope Scope { get; }

    /// <summary>
    /// Whether it takes nothing away from anybody, neither while it is applied nor while it is proved. Then its proof may go on while the next
    /// harmless control is applied; anything else is begun only when that proof is done.
    /// </summary>
    bool IsHarmless => false;

    /// <summary>Reads what is; changes nothing.</summary>
    /// <returns>One finding or more for each node, object or zone that the control is about.</returns>
    Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken);

    /// <summary>What <see cref="ApplyAsync"/> would change now; empty where all is in place. Changes nothing.</summary>
    Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken);

    /// <summary>Makes it so, or finishes what an earlier call began; keeps what is needed for <see cref="UndoAsync"/> first.</summary>
    /// <returns>What was changed; empty where all was in place.</returns>
    Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken);

    /// <summary>Proves it by its effect - a refused login, a closed port, a denied connection - and not by reading its files again.</summary>
    Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken);

    /// <summary>Brings back what was before the first <see cref="ApplyAsync"/>, byte for byte where it was a file.</summary>
    /// <returns>What was changed; empty where there was nothing to undo.</returns>
    Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken);
}

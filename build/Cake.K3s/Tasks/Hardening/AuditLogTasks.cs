using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let the API server write down who asks for what.</summary>
[TaskName("Harden-AuditLog")]
[TaskDescription("Let the API server write down who asks for what.")]
public sealed class HardenAuditLogTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let the API server write down nothing, as before.</summary>
[TaskName("Undo-AuditLog")]
[TaskDescription("Let the API server write down nothing, as before.")]
public sealed class UndoAuditLogTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

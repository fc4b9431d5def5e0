using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Take the backup schedule away again; backups stay where they are.</summary>
[TaskName("Undo-Backups")]
[TaskDescription("Take the backup schedule away again; backups stay where they are.")]
public sealed class UndoBackupsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

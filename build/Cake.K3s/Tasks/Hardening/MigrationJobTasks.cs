using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Look for pods that migrate the database when they start.</summary>
[TaskName("Harden-MigrationJob")]
[TaskDescription("Look for pods that migrate the database when they start.")]
public sealed class HardenMigrationJobTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Undo nothing: the control MigrationJob changes nothing.</summary>
[TaskName("Undo-MigrationJob")]
[TaskDescription("Undo nothing: the control MigrationJob changes nothing.")]
public sealed class UndoMigrationJobTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

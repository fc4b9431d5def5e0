using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Keep what all containers log, to be searched when they are gone.</summary>
[TaskName("Harden-Logs")]
[TaskDescription("Keep what all containers log, to be searched when they are gone.")]
public sealed class HardenLogsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take Loki and Alloy away again; what they kept goes with them.</summary>
[TaskName("Undo-Logs")]
[TaskDescription("Take Loki and Alloy away again; what they kept goes with them.")]
public sealed class UndoLogsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

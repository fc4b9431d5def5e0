using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Collect and keep spans of the app and of deploys.</summary>
[TaskName("Harden-Tracing")]
[TaskDescription("Collect and keep spans of the app and of deploys.")]
public sealed class HardenTracingTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take the collector and Tempo away again; what they kept goes with them.</summary>
[TaskName("Undo-Tracing")]
[TaskDescription("Take the collector and Tempo away again; what they kept goes with them.")]
public sealed class UndoTracingTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

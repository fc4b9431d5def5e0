using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let a monitor in the cluster and one outside look whether the app answers.</summary>
[TaskName("Harden-Uptime")]
[TaskDescription("Let a monitor in the cluster and one outside look whether the app answers.")]
public sealed class HardenUptimeTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take the monitors of the app away.</summary>
[TaskName("Undo-Uptime")]
[TaskDescription("Take the monitors of the app away.")]
public sealed class UndoUptimeTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Measure the cluster and the app, and raise alerts for what takes them down.</summary>
[TaskName("Harden-Monitoring")]
[TaskDescription("Measure the cluster and the app, and raise alerts for what takes them down.")]
public sealed class HardenMonitoringTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take Prometheus, its alerts and Grafana away again.</summary>
[TaskName("Undo-Monitoring")]
[TaskDescription("Take Prometheus, its alerts and Grafana away again.")]
public sealed class UndoMonitoringTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let nodes reboot and K3s upgrade by themselves: one at a time, at night, not while an alert fires.</summary>
[TaskName("Harden-Reboots")]
[TaskDescription("Let nodes reboot and K3s upgrade by themselves: one at a time, at night, not while an alert fires.")]
public sealed class HardenRebootsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take kured and the upgrade controller away again.</summary>
[TaskName("Undo-Reboots")]
[TaskDescription("Take kured and the upgrade controller away again.")]
public sealed class UndoRebootsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

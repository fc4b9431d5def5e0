using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Take security updates every day, without a reboot and without touching k3s.</summary>
[TaskName("Harden-UnattendedUpgrades")]
[TaskDescription("Take security updates every day, without a reboot and without touching k3s.")]
public sealed class HardenUnattendedUpgradesTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Give apt, needrestart and networkd their former settings back.</summary>
[TaskName("Undo-UnattendedUpgrades")]
[TaskDescription("Give apt, needrestart and networkd their former settings back.")]
public sealed class UndoUnattendedUpgradesTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

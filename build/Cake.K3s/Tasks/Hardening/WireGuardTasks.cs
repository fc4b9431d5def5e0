using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Encrypt the pods' network between the nodes with WireGuard, on all servers together.</summary>
[TaskName("Harden-WireGuard")]
[TaskDescription("Encrypt the pods' network between the nodes with WireGuard, on all servers together.")]
public sealed class HardenWireGuardTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Bring the pods' network between the nodes back to VXLAN, on all servers together.</summary>
[TaskName("Undo-WireGuard")]
[TaskDescription("Bring the pods' network between the nodes back to VXLAN, on all servers together.")]
public sealed class UndoWireGuardTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

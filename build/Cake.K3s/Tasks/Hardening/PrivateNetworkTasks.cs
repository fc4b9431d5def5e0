using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Attach the servers to a private network of Hetzner's and let pods' traffic use it.</summary>
[TaskName("Harden-PrivateNetwork")]
[TaskDescription("Attach the servers to a private network of Hetzner's and let pods' traffic use it.")]
public sealed class HardenPrivateNetworkTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let pods' traffic use the public network again, and take away a private network that was made for it.</summary>
[TaskName("Undo-PrivateNetwork")]
[TaskDescription("Let pods' traffic use the public network again, and take away a private network that was made for it.")]
public sealed class UndoPrivateNetworkTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

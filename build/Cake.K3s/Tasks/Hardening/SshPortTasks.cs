using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Move SSH to a port of its own, which is open beside the old one until a login on it has worked.</summary>
[TaskName("Harden-SshPort")]
[TaskDescription("Move SSH to a port of its own, open beside the old one until a login on it has worked.")]
public sealed class HardenSshPortTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Bring SSH back to its former port.</summary>
[TaskName("Undo-SshPort")]
[TaskDescription("Bring SSH back to its former port.")]
public sealed class UndoSshPortTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

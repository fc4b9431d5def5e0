using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let SSH take keys alone, from modern clients.</summary>
[TaskName("Harden-SshPolicy")]
[TaskDescription("Let SSH take keys alone, from modern clients.")]
public sealed class HardenSshPolicyTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Give sshd its former configuration back.</summary>
[TaskName("Undo-SshPolicy")]
[TaskDescription("Give sshd its former configuration back.")]
public sealed class UndoSshPolicyTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Ban who fails to log in over SSH again and again.</summary>
[TaskName("Harden-Fail2Ban")]
[TaskDescription("Ban who fails to log in over SSH again and again.")]
public sealed class HardenFail2BanTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Give fail2ban its former configuration back.</summary>
[TaskName("Undo-Fail2Ban")]
[TaskDescription("Give fail2ban its former configuration back.")]
public sealed class UndoFail2BanTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

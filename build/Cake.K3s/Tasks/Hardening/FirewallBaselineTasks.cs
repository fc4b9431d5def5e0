using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let in what the cluster and its operators need, and nobody else.</summary>
[TaskName("Harden-FirewallBaseline")]
[TaskDescription("Let in what the cluster and its operators need, and nobody else.")]
public sealed class HardenFirewallBaselineTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Give the firewall its former rules back.</summary>
[TaskName("Undo-FirewallBaseline")]
[TaskDescription("Give the firewall its former rules back.")]
public sealed class UndoFirewallBaselineTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

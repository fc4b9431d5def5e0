using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Delete the firewall rules that a Docker Swarm left.</summary>
[TaskName("Harden-LegacyFirewallRules")]
[TaskDescription("Delete the firewall rules that a Docker Swarm left.")]
public sealed class HardenLegacyFirewallRulesTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Add the firewall rules of a Docker Swarm again.</summary>
[TaskName("Undo-LegacyFirewallRules")]
[TaskDescription("Add the firewall rules of a Docker Swarm again.")]
public sealed class UndoLegacyFirewallRulesTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Take the network policies away again.</summary>
[TaskName("Undo-NetworkPolicies")]
[TaskDescription("Take the network policies away again.")]
public sealed class UndoNetworkPoliciesTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

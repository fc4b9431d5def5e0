using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let pods connect to what network policies name, and to nothing else.</summary>
[TaskName("Harden-NetworkPolicies")]
[TaskDescription("Let pods connect to what network policies name, and to nothing else.")]
public sealed class HardenNetworkPoliciesTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let one host answer from several regions, with Cloudflare's load balancer.</summary>
[TaskName("Harden-LoadBalancer")]
[TaskDescription("Let one host answer from several regions, with Cloudflare's load balancer.")]
public sealed class HardenLoadBalancerTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Delete the load balancer and its pools; the DNS record answers again.</summary>
[TaskName("Undo-LoadBalancer")]
[TaskDescription("Delete the load balancer and its pools; the DNS record answers again.")]
public sealed class UndoLoadBalancerTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let Cloudflare answer from its cache what edge.cache names.</summary>
[TaskName("Harden-EdgeCache")]
[TaskDescription("Let Cloudflare answer from its cache what edge.cache names.")]
public sealed class HardenEdgeCacheTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Delete the cache rules that were made from edge.cache.</summary>
[TaskName("Undo-EdgeCache")]
[TaskDescription("Delete the cache rules that were made from edge.cache.")]
public sealed class UndoEdgeCacheTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Put certificates between Cloudflare and the nodes, and let Cloudflare insist on them.</summary>
[TaskName("Harden-OriginTls")]
[TaskDescription("Put certificates between Cloudflare and the nodes, and let Cloudflare insist on them.")]
public sealed class HardenOriginTlsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let Cloudflare talk to the nodes as it did before, and take the certificates away.</summary>
[TaskName("Undo-OriginTls")]
[TaskDescription("Let Cloudflare talk to the nodes as it did before, and take the certificates away.")]
public sealed class UndoOriginTlsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

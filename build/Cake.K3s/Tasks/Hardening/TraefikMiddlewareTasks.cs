using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Put security headers and a limit of rate in front of the app.</summary>
[TaskName("Harden-TraefikMiddleware")]
[TaskDescription("Put security headers and a limit of rate in front of the app.")]
public sealed class HardenTraefikMiddlewareTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take the security headers and the limit of rate away again.</summary>
[TaskName("Undo-TraefikMiddleware")]
[TaskDescription("Take the security headers and the limit of rate away again.")]
public sealed class UndoTraefikMiddlewareTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let HTTP and HTTPS in from Cloudflare alone.</summary>
[TaskName("Harden-CloudflareOnly")]
[TaskDescription("Let HTTP and HTTPS in from Cloudflare alone.")]
public sealed class HardenCloudflareOnlyTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let HTTP and HTTPS in from where they came before.</summary>
[TaskName("Undo-CloudflareOnly")]
[TaskDescription("Let HTTP and HTTPS in from where they came before.")]
public sealed class UndoCloudflareOnlyTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

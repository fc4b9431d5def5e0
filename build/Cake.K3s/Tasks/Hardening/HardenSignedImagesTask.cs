using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Take no image into the namespace that is not pinned, from a named registry, and signed.</summary>
[TaskName("Harden-SignedImages")]
[TaskDescription("Take no image into the namespace that is not pinned, from a named registry, and signed.")]
public sealed class HardenSignedImagesTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

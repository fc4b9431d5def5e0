using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Take the demands on images back.</summary>
[TaskName("Undo-SignedImages")]
[TaskDescription("Take the demands on images back.")]
public sealed class UndoSignedImagesTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

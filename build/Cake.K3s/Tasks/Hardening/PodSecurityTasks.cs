using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Refuse pods that could take a node over.</summary>
[TaskName("Harden-PodSecurity")]
[TaskDescription("Refuse pods that could take a node over.")]
public sealed class HardenPodSecurityTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Let all pods in again, as before.</summary>
[TaskName("Undo-PodSecurity")]
[TaskDescription("Let all pods in again, as before.")]
public sealed class UndoPodSecurityTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

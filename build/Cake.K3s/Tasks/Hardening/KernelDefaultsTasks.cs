using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Set the kernel as the kubelet expects it, and let the kubelet refuse anything else.</summary>
[TaskName("Harden-KernelDefaults")]
[TaskDescription("Set the kernel as the kubelet expects it, and let the kubelet refuse anything else.")]
public sealed class HardenKernelDefaultsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Give the kernel its former settings back.</summary>
[TaskName("Undo-KernelDefaults")]
[TaskDescription("Give the kernel its former settings back.")]
public sealed class UndoKernelDefaultsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

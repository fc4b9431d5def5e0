using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Let each server ship snapshots of etcd and the cluster's token, encrypted.</summary>
[TaskName("Harden-EtcdBackups")]
[TaskDescription("Let each server ship snapshots of etcd and the cluster's token, encrypted.")]
public sealed class HardenEtcdBackupsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Ship no more snapshots of etcd; those in the bucket stay.</summary>
[TaskName("Undo-EtcdBackups")]
[TaskDescription("Ship no more snapshots of etcd; those in the bucket stay.")]
public sealed class UndoEtcdBackupsTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Back the database up on a schedule, encrypted, to a bucket elsewhere.</summary>
[TaskName("Harden-Backups")]
[TaskDescription("Back the database up on a schedule, encrypted, to a bucket elsewhere.")]
public sealed class HardenBackupsTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

using Cake.Frosting;
using Cake.K3s.Hardening;
using Cake.K3s.Requirements;
using Cake.K3s.Tools;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Give Redis a password without a client noticing.</summary>
[TaskName("Harden-RedisPassword")]
[TaskDescription("Give Redis a password without a client noticing.")]
[RequiresTool(ToolName.Kubectl)]
public sealed class HardenRedisPasswordTask(Lazy<Hardener> hardener) : HardenControlTask(hardener);

/// <summary>Take the password of Redis away again.</summary>
[TaskName("Undo-RedisPassword")]
[TaskDescription("Take the password of Redis away again.")]
[RequiresTool(ToolName.Kubectl)]
public sealed class UndoRedisPasswordTask(Lazy<Hardener> hardener) : UndoControlTask(hardener);

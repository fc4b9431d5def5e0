namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Who holds, or wants, the deploy lock.</summary>
/// <param name="Identity">For people and for Kubernetes' tools: <c>ann@laptop, process 4711</c>.</param>
/// <param name="Process">Names the process beyond doubt on its machine, so that a run can tell that it has died; null if that is not known.</param>
/// <param name="CiRun">The address of its CI run; null outside CI.</param>
internal sealed record LockHolder(string Identity, string? Process, string? CiRun);

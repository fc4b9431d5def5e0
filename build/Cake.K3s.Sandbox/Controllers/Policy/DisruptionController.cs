using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using Cake.K3s.Sandbox.Controllers.Workloads;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Policy;

/// <summary>Counts how many pods of each PodDisruptionBudget may be evicted.</summary>
internal sealed class DisruptionController : Controller
{
    private readonly ControllerContext _context;
    private readonly Informer<V1PodDisruptionBudget> _budgets;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1ReplicaSet> _sets;
    private readonly Informer<V1Deployment> _deployments;
    private readonly Informer<V1StatefulSet> _statefulSets;

    public DisruptionController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _budgets = context.Cache.Of<V1PodDisruptionBudget>();
        _pods = context.Cache.Of<V1Pod>();
        _sets = context.Cache.Of<V1ReplicaSet>();
        _deployments = context.Cache.Of<V1Deployment>();
        _statefulSets = context.Cache.Of<V1StatefulSet>();
        _budgets.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _pods.Changed += (old, now) => WakeIn((now ?? old)!.Metadata.NamespaceProperty);
        _deployments.Changed += (old, now) => WakeIn((now ?? old)!.Metadata.NamespaceProperty);
        _statefulSets.Changed += (old, now) => WakeIn((now ?? old)!.Metadata.NamespaceProperty);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_budgets.Find(key) is not { } budget || budget.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var pods = _pods.In(key.Namespace).Where(pod => !PodFacts.IsFinished(pod) && LabelSelectors.Matches(budget.Spec.Selector, pod.Metadata.Labels)).ToList();
        var healthy = pods.Count(pod => PodFacts.IsReady(pod) && pod.Metadata.DeletionTimestamp is null);
        var (expected, desired) = Desired(budget, pods);
        var allowed = expected == 0 ? 0 : Math.Max(0, healthy - desired);
        var enough = allowed > 0;
        var known = budget.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "DisruptionAllowed");
        var status = new V1PodDisruptionBudgetStatus
        {
            ObservedGeneration = budget.Metadata.Generation,
            CurrentHealthy = healthy,
            DesiredHealthy = desired,
            ExpectedPods = expected,
            DisruptionsAllowed = allowed,
            // Evicted pods that are not deleted yet are counted by their deletion timestamp already.
            DisruptedPods = null,
            Conditions =
            [
                new V1Condition
                {
                    Type = "DisruptionAllowed",
                    Status = enough ? "True" : "False",
                    Reason = enough ? "SufficientPods" : "InsufficientPods",
                    Message = "",
                    ObservedGeneration = budget.Metadata.Generation,
                    LastTransitionTime = known?.Status == (enough ? "True" : "False") ? known.LastTransitionTime : Now,
                },
            ],
        };
        await StatusWriter.WriteAsync(_context, budget, budget.Status, status, cancellationToken);
    }

    private (int Expected, int Desired) Desired(V1PodDisruptionBudget budget, List<V1Pod> pods)
    {
        var scale = pods.Select(pod => Workload(budget.Metadata.NamespaceProperty, Ownership.ControllerOf(pod), pods)).OfType<(string Uid, int Replicas)>()
            .DistinctBy(workload => workload.Uid).Sum(workload => workload.Replicas);
        if (budget.Spec.MaxUnavailable is { } unavailable)
        {
            return (scale, Math.Max(0, scale - RollingUpdate.Scaled(unavailable, "0", scale, up: true)));
        }

        var minimum = budget.Spec.MinAvailable;
        return minimum?.Value.EndsWith('%') == true
            ? (scale, RollingUpdate.Scaled(minimum, "1", scale, up: true))
            : (pods.Count, RollingUpdate.Scaled(minimum, "1", pods.Count, up: true));
    }

    /// <summary>Who wants the pod, and how many of them: the Deployment rather than its ReplicaSets, so that a roll does not count twice.</summary>
    private (string Uid, int Replicas)? Workload(string ns, V1OwnerReference? owner, List<V1Pod> pods)
    {
        if (owner is null)
        {
            return null;
        }

        if (owner.Kind == "StatefulSet" && _statefulSets.Find(new(ns, owner.Name)) is { } statefulSet)
        {
            return (owner.Uid, statefulSet.Spec.Replicas ?? 1);
        }

        if (owner.Kind == "ReplicaSet" && _sets.Find(new(ns, owner.Name)) is { } set)
        {
            return Ownership.OwnerOf(set, "Deployment") is { } name && _deployments.Find(name) is { } deployment
                ? (deployment.Metadata.Uid, deployment.Spec.Replicas ?? 1)
                : (owner.Uid, set.Spec.Replicas ?? 1);
        }

        return (owner.Uid, pods.Count(pod => Ownership.ControllerOf(pod)?.Uid == owner.Uid));
    }

    private void WakeIn(string ns)
    {
        foreach (var budget in _budgets.In(ns))
        {
            Queue.Add(ObjectKey.Of(budget));
        }
    }
}

using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>Keeps as many pods of a ReplicaSet as it asks for.</summary>
internal sealed class ReplicaSetController : Controller
{
    private const int LargestBatch = 500;
    private readonly ControllerContext _context;
    private readonly Informer<V1ReplicaSet> _sets;
    private readonly Informer<V1Pod> _pods;
    private readonly PodControl _control;

    public ReplicaSetController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _sets = context.Cache.Of<V1ReplicaSet>();
        _pods = context.Cache.Of<V1Pod>();
        _control = new(context, "replicaset-controller");
        _sets.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _pods.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "ReplicaSet") is { } owner)
            {
                Queue.Add(owner);
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Find(key) is not { } set)
        {
            return;
        }

        var pods = (await Ownership.ClaimAsync(Client, _pods, set, set.Spec.Selector, cancellationToken)).Where(pod => !PodFacts.IsFinished(pod)).ToList();
        ApiException? failure = null;
        if (set.Metadata.DeletionTimestamp is null)
        {
            failure = await ScaleAsync(set, [.. pods.Where(PodFacts.IsActive)], cancellationToken);
            pods = [.. _pods.In(key.Namespace).Where(pod => Ownership.Owns(set, pod) && !PodFacts.IsFinished(pod))];
        }

        var active = pods.Where(PodFacts.IsActive).ToList();
        var minReady = set.Spec.MinReadySeconds ?? 0;
        await StatusWriter.WriteAsync(_context, set, set.Status, Status(set, active, pods.Count - active.Count, failure), cancellationToken);
        if (active.Select(pod => PodFacts.UntilAvailable(pod, minReady, Now)).Where(left => left > TimeSpan.Zero).Min() is { } next)
        {
            Queue.AddAfter(key, next);
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    private async Task<ApiException?> ScaleAsync(V1ReplicaSet set, List<V1Pod> active, CancellationToken cancellationToken)
    {
        var missing = (set.Spec.Replicas ?? 1) - active.Count;
        if (missing < 0)
        {
            await Task.WhenAll(PodFacts.ByDispensability(active).Take(-missing).Select(pod => _control.DeleteAsync(pod, set, cancellationToken)));
            return null;
        }

        // One, two, four … at a time: a quota that refuses the first is not asked a hundred times.
        for (var batch = 1; missing > 0; batch = Math.Min(batch * 2, LargestBatch))
        {
            var now = Math.Min(batch, missing);
            try
            {
                await Task.WhenAll(Enumerable.Range(0, now).Select(_ =>
                {
                    var pod = PodControl.FromTemplate(set.Spec.Template, set);
                    pod.Metadata.GenerateName = set.Metadata.Name + "-";
                    return _control.CreateAsync(pod, set, cancellationToken);
                }));
            }
            catch (ApiException e)
            {
                return e;
            }

            missing -= now;
        }

        return null;
    }

    private V1ReplicaSetStatus Status(V1ReplicaSet set, List<V1Pod> active, int terminating, ApiException? failure)
    {
        var minReady = set.Spec.MinReadySeconds ?? 0;
        var old = set.Status?.Conditions ?? [];
        var conditions = old.Where(condition => condition.Type != "ReplicaFailure").ToList();
        if (failure is not null)
        {
            // The first message stays: each try names another pod, and a status that changes each time would never come to rest.
            conditions.Add(old.FirstOrDefault(condition => condition.Type == "ReplicaFailure") ?? new V1ReplicaSetCondition
            {
                Type = "ReplicaFailure",
                Status = "True",
                Reason = "FailedCreate",
                Message = failure.Message,
                LastTransitionTime = Now,
            });
        }

        return new()
        {
            Replicas = active.Count,
            FullyLabeledReplicas = active.Count(pod => LabelSelectors.Matches(set.Spec.Template.Metadata?.Labels, pod.Metadata.Labels)),
            ReadyReplicas = active.Count(PodFacts.IsReady),
            AvailableReplicas = active.Count(pod => PodFacts.IsAvailable(pod, minReady, Now)),
            TerminatingReplicas = terminating,
            ObservedGeneration = set.Metadata.Generation,
            Conditions = conditions.Count > 0 ? conditions : null,
        };
    }
}

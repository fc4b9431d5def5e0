using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using Cake.K3s.Sandbox.Controllers.Scheduling;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>Keeps one pod of a DaemonSet on every node that fits.</summary>
internal sealed class DaemonSetController : Controller
{
    private static readonly string[] ToleratedTaints =
    [
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/memory-pressure", "node.kubernetes.io/pid-pressure", "node.kubernetes.io/unschedulable",
    ];

    private readonly ControllerContext _context;
    private readonly Informer<V1DaemonSet> _sets;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Node> _nodes;
    private readonly PodControl _control;
    private readonly ControllerRevisions _revisions;

    public DaemonSetController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _sets = context.Cache.Of<V1DaemonSet>();
        _pods = context.Cache.Of<V1Pod>();
        _nodes = context.Cache.Of<V1Node>();
        _control = new(context, "daemonset-controller");
        _revisions = new(context);
        _sets.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _pods.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "DaemonSet") is { } owner)
            {
                Queue.Add(owner);
            }
        };
        _nodes.Changed += (_, _) =>
        {
            foreach (var set in _sets.Items)
            {
                Queue.Add(ObjectKey.Of(set));
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Find(key) is not { } set || set.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var revision = await _revisions.EnsureAsync(set, set.Spec.Template, set.Spec.Selector, cancellationToken);
        var hash = ControllerRevisions.HashOf(revision);
        var pods = await Ownership.ClaimAsync(Client, _pods, set, set.Spec.Selector, cancellationToken);
        var wanted = _nodes.Items.Where(node => Fits(set, node)).Select(node => node.Metadata.Name).ToHashSet();
        foreach (var pod in pods.Where(pod => pod.Metadata.DeletionTimestamp is null))
        {
            // One that failed is made anew, one on a node that no longer fits goes.
            if (PodFacts.IsFinished(pod) || !wanted.Contains(NodeOf(pod)))
            {
                await _control.DeleteAsync(pod, set, cancellationToken);
            }
        }

        var minReady = set.Spec.MinReadySeconds ?? 0;
        foreach (var node in wanted.Where(node => pods.All(pod => NodeOf(pod) != node)))
        {
            await _control.CreateAsync(NewPod(set, node, hash), set, cancellationToken);
        }

        pods = [.. _pods.In(key.Namespace).Where(pod => Ownership.Owns(set, pod) && PodFacts.IsActive(pod))];
        await RollAsync(set, pods, wanted.Count, hash, cancellationToken);
        var status = new V1DaemonSetStatus
        {
            ObservedGeneration = set.Metadata.Generation,
            DesiredNumberScheduled = wanted.Count,
            CurrentNumberScheduled = pods.Count(pod => wanted.Contains(NodeOf(pod))),
            NumberMisscheduled = pods.Count(pod => !wanted.Contains(NodeOf(pod))),
            NumberReady = pods.Count(PodFacts.IsReady),
            NumberAvailable = pods.Count(pod => PodFacts.IsAvailable(pod, minReady, Now)),
            UpdatedNumberScheduled = pods.Count(pod => HashOf(pod) == hash),
        };
        status.NumberUnavailable = status.DesiredNumberScheduled - status.NumberAvailable;
        await StatusWriter.WriteAsync(_context, set, set.Status, status, cancellationToken);
        if (pods.Select(pod => PodFacts.UntilAvailable(pod, minReady, Now)).Where(left => left > TimeSpan.Zero).Min() is { } next)
        {
            Queue.AddAfter(key, next);
        }

        await _revisions.ForgetOldAsync(set, set.Spec.RevisionHistoryLimit ?? 10, pods.Select(HashOf).Append(hash).ToHashSet(), cancellationToken);
    }

    private async Task RollAsync(V1DaemonSet set, List<V1Pod> pods, int nodes, string hash, CancellationToken cancellationToken)
    {
        if (set.Spec.UpdateStrategy?.Type == "OnDelete")
        {
            return;
        }

        var old = pods.Where(pod => HashOf(pod) != hash).ToList();
        var limit = Math.Max(1, RollingUpdate.Scaled(set.Spec.UpdateStrategy?.RollingUpdate?.MaxUnavailable, "1", nodes, up: true));
        var unavailable = nodes - pods.Count(pod => PodFacts.IsAvailable(pod, set.Spec.MinReadySeconds ?? 0, Now));

        // Old pods that do not work cost nothing; of the others as many as may be missing.
        var broken = old.Where(pod => !PodFacts.IsReady(pod)).ToList();
        var healthy = old.Except(broken).Take(Math.Max(0, limit - unavailable));
        foreach (var pod in broken.Concat(healthy))
        {
            await _control.DeleteAsync(pod, set, cancellationToken);
        }
    }

    private static bool Fits(V1DaemonSet set, V1Node node) => SchedulingFilter.Reasons(NewPod(set, node.Metadata.Name, ""), node, []).All(reason =>
        reason.Text.StartsWith("Insufficient", StringComparison.Ordinal) || reason.Text == "Too many pods");

    private static V1Pod NewPod(V1DaemonSet set, string node, string hash)
    {
        var pod = PodControl.FromTemplate(set.Spec.Template, set);
        pod.Metadata.GenerateName = set.Metadata.Name + "-";
        pod.Metadata.Labels[ControllerRevisions.HashLabel] = hash;
        pod.Metadata.Labels["pod-template-generation"] = $"{set.Metadata.Generation}";
        pod.Spec.Tolerations =
        [
            .. pod.Spec.Tolerations ?? [],
            .. ToleratedTaints.Select(key => new V1Toleration
            {
                Key = key, OperatorProperty = "Exists", Effect = key.EndsWith("not-ready", StringComparison.Ordinal) || key.EndsWith("unreachable", StringComparison.Ordinal) ? "NoExecute" : "NoSchedule",
            }),
        ];
        pod.Spec.Affinity ??= new V1Affinity();
        pod.Spec.Affinity.NodeAffinity ??= new V1NodeAffinity();
        var here = new V1NodeSelectorRequirement { Key = "metadata.name", OperatorProperty = "In", Values = [node] };
        var terms = pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms ?? [new V1NodeSelectorTerm()];
        foreach (var term in terms)
        {
            term.MatchFields = [here];
        }

        pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector { NodeSelectorTerms = terms };
        return pod;
    }

    private static string NodeOf(V1Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName)
        ? pod.Spec.NodeName
        : pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms
            .SelectMany(term => term.MatchFields ?? []).FirstOrDefault(field => field.Key == "metadata.name")?.Values.FirstOrDefault() ?? "";

    private static string HashOf(V1Pod pod) => pod.Metadata.Labels?.TryGetValue(ControllerRevisions.HashLabel, out var hash) == true ? hash : "";
}

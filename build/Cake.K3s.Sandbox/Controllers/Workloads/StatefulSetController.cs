using System.Globalization;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>Keeps the numbered pods of a StatefulSet and their claims, in order.</summary>
internal sealed class StatefulSetController : Controller
{
    private readonly ControllerContext _context;
    private readonly Informer<V1StatefulSet> _sets;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1PersistentVolumeClaim> _claims;
    private readonly PodControl _control;
    private readonly ControllerRevisions _revisions;

    public StatefulSetController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _sets = context.Cache.Of<V1StatefulSet>();
        _pods = context.Cache.Of<V1Pod>();
        _claims = context.Cache.Of<V1PersistentVolumeClaim>();
        _control = new(context, "statefulset-controller");
        _revisions = new(context);
        _sets.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _pods.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "StatefulSet") is { } owner)
            {
                Queue.Add(owner);
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Find(key) is not { } set || set.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var update = await _revisions.EnsureAsync(set, set.Spec.Template, set.Spec.Selector, cancellationToken);
        var current = _revisions.Of(set).FirstOrDefault(revision => revision.Metadata.Name == set.Status?.CurrentRevision) ?? update;
        await Ownership.ClaimAsync(Client, _pods, set, set.Spec.Selector, cancellationToken);
        var next = await StepAsync(set, current, update, cancellationToken);
        var pods = Pods(set);
        await StatusWriter.WriteAsync(_context, set, set.Status, Status(set, pods, current, update), cancellationToken);
        if (next is { } pause)
        {
            Queue.AddAfter(key, pause);
        }

        var used = pods.Values.Select(HashOf).Append(ControllerRevisions.HashOf(update)).Append(ControllerRevisions.HashOf(current)).ToHashSet();
        await _revisions.ForgetOldAsync(set, set.Spec.RevisionHistoryLimit ?? 10, used, cancellationToken);
    }

    /// <summary>Does what may be done now; the rest follows when a pod changes, or after the returned time.</summary>
    private async Task<TimeSpan?> StepAsync(V1StatefulSet set, V1ControllerRevision current, V1ControllerRevision update, CancellationToken cancellationToken)
    {
        var pods = Pods(set);
        var start = set.Spec.Ordinals?.Start ?? 0;
        var replicas = set.Spec.Replicas ?? 1;
        var ordered = set.Spec.PodManagementPolicy != "Parallel";
        var partition = set.Spec.UpdateStrategy?.RollingUpdate?.Partition ?? 0;
        TimeSpan? pause = null;
        for (var ordinal = start; ordinal < start + replicas; ordinal++)
        {
            var pod = pods.GetValueOrDefault(ordinal);
            if (pod is not null && PodFacts.IsFinished(pod) && pod.Metadata.DeletionTimestamp is null)
            {
                await _control.DeleteAsync(pod, set, cancellationToken);
            }

            if (pod is null)
            {
                var revision = ordinal < start + partition ? current : update;
                await CreateAsync(set, ordinal, revision, cancellationToken);
            }

            if (ordered && !IsHealthy(set, pod, ref pause))
            {
                return pause;
            }
        }

        foreach (var (ordinal, pod) in pods.Where(pair => pair.Key < start || pair.Key >= start + replicas).OrderByDescending(pair => pair.Key))
        {
            if (pod.Metadata.DeletionTimestamp is null)
            {
                await _control.DeleteAsync(pod, set, cancellationToken);
            }

            if (ordered)
            {
                return null;
            }
        }

        if (set.Spec.UpdateStrategy?.Type == "OnDelete")
        {
            return pause;
        }

        // The highest first, each only when the one before it works again.
        var wanted = ControllerRevisions.HashOf(update);
        for (var ordinal = start + replicas - 1; ordinal >= start + partition; ordinal--)
        {
            var pod = pods.GetValueOrDefault(ordinal);
            if (pod is not null && HashOf(pod) != wanted && pod.Metadata.DeletionTimestamp is null)
            {
                await _control.DeleteAsync(pod, set, cancellationToken);
                return null;
            }

            if (!IsHealthy(set, pod, ref pause))
            {
                return pause;
            }
        }

        return pause;
    }

    private bool IsHealthy(V1StatefulSet set, V1Pod? pod, ref TimeSpan? pause)
    {
        if (pod is null || pod.Metadata.DeletionTimestamp is not null || PodFacts.UntilAvailable(pod, set.Spec.MinReadySeconds ?? 0, Now) is not { } left)
        {
            return false;
        }

        pause = left > TimeSpan.Zero ? left : pause;
        return left == TimeSpan.Zero;
    }

    private async Task CreateAsync(V1StatefulSet set, int ordinal, V1ControllerRevision revision, CancellationToken cancellationToken)
    {
        var name = $"{set.Metadata.Name}-{ordinal.ToString(CultureInfo.InvariantCulture)}";
        var pod = PodControl.FromTemplate(ControllerRevisions.TemplateOf(revision) ?? set.Spec.Template, set);
        pod.Metadata.Name = name;
        pod.Metadata.Labels["statefulset.kubernetes.io/pod-name"] = name;
        pod.Metadata.Labels["apps.kubernetes.io/pod-index"] = ordinal.ToString(CultureInfo.InvariantCulture);
        pod.Metadata.Labels[ControllerRevisions.HashLabel] = ControllerRevisions.HashOf(revision);
        pod.Spec.Hostname = name;
        pod.Spec.Subdomain = set.Spec.ServiceName;
        foreach (var template in set.Spec.VolumeClaimTemplates ?? [])
        {
            var claim = await EnsureClaimAsync(set, template, name, cancellationToken);
            pod.Spec.Volumes =
            [
                .. (pod.Spec.Volumes ?? []).Where(volume => volume.Name != template.Metadata.Name),
                new V1Volume { Name = template.Metadata.Name, PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = claim } },
            ];
        }

        try
        {
            await _control.CreateAsync(pod, set, cancellationToken);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Somebody else's pod has the name; a real controller waits for it to go, too.
        }
    }

    private async Task<string> EnsureClaimAsync(V1StatefulSet set, V1PersistentVolumeClaim template, string pod, CancellationToken cancellationToken)
    {
        var name = $"{template.Metadata.Name}-{pod}";
        var ns = set.Metadata.NamespaceProperty;
        if (_claims.Find(new(ns, name)) is null)
        {
            var claim = KubernetesJson.Deserialize<V1PersistentVolumeClaim>(KubernetesJson.Serialize(template));
            claim.Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = ns,
                Labels = new Dictionary<string, string>(template.Metadata.Labels ?? set.Spec.Selector.MatchLabels ?? new Dictionary<string, string>()),
                Annotations = template.Metadata.Annotations,
            };
            claim.Status = null;
            try
            {
                _claims.Observe(await Client.CreateAsync(claim, cancellationToken));
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                // It was kept from an earlier pod of this name.
            }
        }

        return name;
    }

    private V1StatefulSetStatus Status(V1StatefulSet set, SortedDictionary<int, V1Pod> pods, V1ControllerRevision current, V1ControllerRevision update)
    {
        var living = pods.Values.Where(PodFacts.IsActive).ToList();
        var status = new V1StatefulSetStatus
        {
            ObservedGeneration = set.Metadata.Generation,
            Replicas = living.Count,
            ReadyReplicas = living.Count(PodFacts.IsReady),
            AvailableReplicas = living.Count(pod => PodFacts.IsAvailable(pod, set.Spec.MinReadySeconds ?? 0, Now)),
            UpdatedReplicas = living.Count(pod => HashOf(pod) == ControllerRevisions.HashOf(update)),
            CurrentRevision = current.Metadata.Name,
            UpdateRevision = update.Metadata.Name,
            CollisionCount = set.Status?.CollisionCount ?? 0,
        };
        if (status.UpdatedReplicas == (set.Spec.Replicas ?? 1) && status.ReadyReplicas == status.UpdatedReplicas && status.Replicas == status.UpdatedReplicas)
        {
            status.CurrentRevision = update.Metadata.Name;
        }

        status.CurrentReplicas = living.Count(pod => $"{set.Metadata.Name}-{HashOf(pod)}" == status.CurrentRevision);
        return status;
    }

    private SortedDictionary<int, V1Pod> Pods(V1StatefulSet set)
    {
        var result = new SortedDictionary<int, V1Pod>();
        var prefix = set.Metadata.Name + "-";
        foreach (var pod in _pods.In(set.Metadata.NamespaceProperty).Where(pod => Ownership.Owns(set, pod)))
        {
            if (pod.Metadata.Name.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(pod.Metadata.Name[prefix.Length..], CultureInfo.InvariantCulture, out var ordinal))
            {
                result[ordinal] = pod;
            }
        }

        return result;
    }

    private static string HashOf(V1Pod pod) => pod.Metadata.Labels?.TryGetValue(ControllerRevisions.HashLabel, out var hash) == true ? hash : "";
}

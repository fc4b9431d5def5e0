using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>
/// Leads a Deployment's ReplicaSets to its template: rolling or all at once, with the revisions that <c>kubectl rollout</c> reads
/// (pkg/controller/deployment).
/// </summary>
internal sealed class DeploymentController : Controller
{
    private const string Component = "deployment-controller";
    private const string Revision = "deployment.kubernetes.io/revision";
    private const string DesiredReplicas = "deployment.kubernetes.io/desired-replicas";
    private const string MaxReplicas = "deployment.kubernetes.io/max-replicas";
    private static readonly HashSet<string> OwnAnnotations =
        ["kubectl.kubernetes.io/last-applied-configuration", Revision, "deployment.kubernetes.io/revision-history", DesiredReplicas, MaxReplicas, "deprecated.deployment.rollback.to"];

    private readonly ControllerContext _context;
    private readonly Informer<V1Deployment> _deployments;
    private readonly Informer<V1ReplicaSet> _sets;
    private readonly Informer<V1Pod> _pods;

    public DeploymentController(ControllerContext context)
        : base(context)
    {
        _context = context;
        _deployments = context.Cache.Of<V1Deployment>();
        _sets = context.Cache.Of<V1ReplicaSet>();
        _pods = context.Cache.Of<V1Pod>();
        _deployments.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _sets.Changed += (old, now) =>
        {
            if (Ownership.OwnerOf(now ?? old, "Deployment") is { } owner)
            {
                Queue.Add(owner);
            }
        };
        _pods.Changed += (old, now) =>
        {
            // Only the Recreate strategy waits for pods to be gone.
            if (now is null && Ownership.OwnerOf(old, "ReplicaSet") is { } set && Ownership.OwnerOf(_sets.Find(set), "Deployment") is { } owner)
            {
                Queue.Add(owner);
            }
        };
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_deployments.Find(key) is not { } deployment)
        {
            return;
        }

        var all = await Ownership.ClaimAsync(Client, _sets, deployment, deployment.Spec.Selector, cancellationToken);
        var current = all.OrderBy(set => set.Metadata.CreationTimestamp).ThenBy(set => set.Metadata.Name)
            .FirstOrDefault(set => PodTemplates.Same(set.Spec.Template, deployment.Spec.Template));
        if (deployment.Metadata.DeletionTimestamp is not null)
        {
            await PublishAsync(deployment, current, all, cancellationToken);
            return;
        }

        deployment = await NotePauseAsync(deployment, cancellationToken);
        if (deployment.Spec.Paused != true)
        {
            var others = all.Where(set => set.Metadata.Uid != current?.Metadata.Uid).ToList();
            if (deployment.Spec.Strategy?.Type == "Recreate")
            {
                current = await RecreateAsync(deployment, current, others, cancellationToken);
            }
            else
            {
                (deployment, current) = await EnsureCurrentAsync(deployment, current, others, cancellationToken);
                if (current is not null && !await ScaleInProportionAsync(deployment, all, cancellationToken))
                {
                    await RollAsync(deployment, current, others, cancellationToken);
                }
            }
        }
        else
        {
            await ScaleInProportionAsync(deployment, all, cancellationToken);
        }

        all = [.. _sets.In(key.Namespace).Where(set => Ownership.Owns(deployment, set))];
        current = current is null ? null : all.FirstOrDefault(set => set.Metadata.Uid == current.Metadata.Uid);
        deployment = await PublishAsync(deployment, current, all, cancellationToken);
        if (deployment.Spec.Paused != true && deployment.Status is { } status && DeploymentStatus.IsComplete(deployment, status))
        {
            await ForgetOldAsync(deployment, all.Where(set => set.Metadata.Uid != current?.Metadata.Uid), cancellationToken);
        }
    }

    private async Task<V1Deployment> PublishAsync(V1Deployment deployment, V1ReplicaSet? current, List<V1ReplicaSet> all, CancellationToken cancellationToken)
    {
        var status = DeploymentStatus.Of(deployment, current, all, Now);
        var written = await StatusWriter.WriteAsync(_context, deployment, deployment.Status, status, cancellationToken);
        if (deployment.Spec.Paused != true && DeploymentStatus.UntilDeadline(deployment, status, Now) is { } left)
        {
            Queue.AddAfter(ObjectKey.Of(deployment), left);
        }

        return written;
    }

    private async Task<V1Deployment> NotePauseAsync(V1Deployment deployment, CancellationToken cancellationToken)
    {
        var known = DeploymentStatus.Find(deployment.Status, "Progressing");
        if (deployment.Spec.ProgressDeadlineSeconds is null || known?.Reason == "ProgressDeadlineExceeded")
        {
            return deployment;
        }

        var condition = (deployment.Spec.Paused == true, known?.Reason) switch
        {
            (true, not "DeploymentPaused") => DeploymentStatus.New("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", Now),
            (false, "DeploymentPaused") => DeploymentStatus.New("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", Now),
            _ => null,
        };
        return condition is null ? deployment : await SetConditionAsync(deployment, condition, cancellationToken);
    }

    private async Task<V1Deployment> SetConditionAsync(V1Deployment deployment, V1DeploymentCondition condition, CancellationToken cancellationToken)
    {
        var status = (deployment.Status ?? new V1DeploymentStatus()) with { };
        DeploymentStatus.Set(status, condition);
        return await StatusWriter.WriteAsync(_context, deployment, deployment.Status, status, cancellationToken);
    }

    /// <summary>Finds or makes the ReplicaSet of the present template, with its revision.</summary>
    private async Task<(V1Deployment Deployment, V1ReplicaSet? Current)> EnsureCurrentAsync(
        V1Deployment deployment, V1ReplicaSet? current, List<V1ReplicaSet> others, CancellationToken cancellationToken)
    {
        var revision = others.Select(RevisionOf).DefaultIfEmpty().Max() + 1;
        var progressing = DeploymentStatus.Find(deployment.Status, "Progressing");
        if (current is null)
        {
            (deployment, current) = await CreateSetAsync(deployment, others, revision, cancellationToken);
            if (current is null)
            {
                return (deployment, null);
            }

            if (deployment.Spec.ProgressDeadlineSeconds is not null)
            {
                deployment = await SetConditionAsync(
                    deployment,
                    DeploymentStatus.New("Progressing", "True", "NewReplicaSetCreated", $"Created new replica set \"{current.Metadata.Name}\"", Now),
                    cancellationToken);
            }
        }
        else
        {
            current = await AnnotateAsync(deployment, current, Math.Max(revision, RevisionOf(current)), cancellationToken);
            if (progressing is null && deployment.Spec.ProgressDeadlineSeconds is not null)
            {
                deployment = await SetConditionAsync(
                    deployment,
                    DeploymentStatus.New("Progressing", "True", "FoundNewReplicaSet", $"Found new replica set \"{current.Metadata.Name}\"", Now),
                    cancellationToken);
            }
        }

        var number = current.Metadata.Annotations?[Revision];
        if (deployment.Metadata.Annotations?.TryGetValue(Revision, out var known) != true || known != number)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Revision] = number } } };
            deployment = await Client.PatchAsync<V1Deployment>(ObjectKey.Of(deployment), patch, cancellationToken);
            _deployments.Observe(deployment);
        }

        return (deployment, current);
    }

    private async Task<(V1Deployment Deployment, V1ReplicaSet? Set)> CreateSetAsync(
        V1Deployment deployment, List<V1ReplicaSet> others, long revision, CancellationToken cancellationToken)
    {
        var hash = PodTemplates.Hash(deployment.Spec.Template, deployment.Status?.CollisionCount);
        var template = KubernetesJson.Deserialize<V1PodTemplateSpec>(KubernetesJson.Serialize(deployment.Spec.Template));
        template.Metadata ??= new V1ObjectMeta();
        template.Metadata.Labels = WithHash(template.Metadata.Labels, hash);
        var replicas = NewReplicas(deployment, null, others);
        var set = new V1ReplicaSet
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"{deployment.Metadata.Name}-{hash}",
                NamespaceProperty = deployment.Metadata.NamespaceProperty,
                Labels = template.Metadata.Labels,
                Annotations = Annotations(deployment, revision),
                OwnerReferences = [Ownership.ReferenceTo(deployment)],
            },
            Spec = new V1ReplicaSetSpec
            {
                Replicas = replicas,
                MinReadySeconds = deployment.Spec.MinReadySeconds,
                Selector = new V1LabelSelector
                {
                    MatchLabels = WithHash(deployment.Spec.Selector.MatchLabels, hash),
                    MatchExpressions = deployment.Spec.Selector.MatchExpressions,
                },
                Template = template,
            },
        };
        try
        {
            var created = await Client.CreateAsync(set, cancellationToken);
            _sets.Observe(created);
            if (replicas > 0)
            {
                Events.Normal(deployment, Component, "ScalingReplicaSet", $"Scaled up replica set {created.Metadata.Name} from 0 to {replicas}");
            }

            return (deployment, created);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var existing = await Client.GetAsync<V1ReplicaSet>(ObjectKey.Of(set), cancellationToken);
            if (Ownership.Owns(deployment, existing) && PodTemplates.Same(existing.Spec.Template, deployment.Spec.Template))
            {
                _sets.Observe(existing);
                return (deployment, existing);
            }

            // Another template has the same hash: the next round takes the next one.
            var status = (deployment.Status ?? new V1DeploymentStatus()) with { CollisionCount = (deployment.Status?.CollisionCount ?? 0) + 1 };
            return (await StatusWriter.WriteAsync(_context, deployment, deployment.Status, status, cancellationToken), null);
        }
        catch (ApiException e)
        {
            Events.Warning(deployment, Component, "ReplicaSetCreateError", $"Failed to create new replica set \"{set.Metadata.Name}\": {e.Message}");
            throw;
        }
    }

    private async Task<V1ReplicaSet> AnnotateAsync(V1Deployment deployment, V1ReplicaSet set, long revision, CancellationToken cancellationToken)
    {
        // The replica annotations tell a change of scale, which is noticed later.
        var wanted = Annotations(deployment, revision).Where(pair => pair.Key is not (DesiredReplicas or MaxReplicas));
        var changed = new JsonObject();
        foreach (var (name, value) in wanted)
        {
            if (set.Metadata.Annotations?.TryGetValue(name, out var known) != true || known != value)
            {
                changed[name] = value;
            }
        }

        if (changed.Count == 0 && set.Spec.MinReadySeconds == deployment.Spec.MinReadySeconds)
        {
            return set;
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = changed } };
        if (set.Spec.MinReadySeconds != deployment.Spec.MinReadySeconds)
        {
            patch["spec"] = new JsonObject { ["minReadySeconds"] = deployment.Spec.MinReadySeconds ?? 0 };
        }

        var written = await Client.PatchAsync<V1ReplicaSet>(ObjectKey.Of(set), patch, cancellationToken);
        _sets.Observe(written);
        return written;
    }

    private async Task<V1ReplicaSet?> RecreateAsync(V1Deployment deployment, V1ReplicaSet? current, List<V1ReplicaSet> others, CancellationToken cancellationToken)
    {
        foreach (var set in others.Where(set => set.Spec.Replicas > 0))
        {
            await ScaleAsync(deployment, set, 0, cancellationToken);
        }

        var uids = others.Select(set => set.Metadata.Uid).ToHashSet();
        var running = _pods.In(deployment.Metadata.NamespaceProperty).Any(pod =>
            Ownership.ControllerOf(pod) is { } owner && uids.Contains(owner.Uid) && !PodFacts.IsFinished(pod));
        if (running)
        {
            return current;
        }

        (deployment, current) = await EnsureCurrentAsync(deployment, current, others, cancellationToken);
        return current is null ? null : await ScaleAsync(deployment, current, deployment.Spec.Replicas ?? 1, cancellationToken);
    }

    /// <summary>When only the number of replicas has changed in the middle of a roll, every ReplicaSet gets its share; true when that was so.</summary>
    private async Task<bool> ScaleInProportionAsync(V1Deployment deployment, List<V1ReplicaSet> all, CancellationToken cancellationToken)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var active = all.Where(set => set.Spec.Replicas > 0).ToList();
        var changed = active.Where(set => set.Metadata.Annotations?.TryGetValue(DesiredReplicas, out var known) == true
            && int.Parse(known, CultureInfo.InvariantCulture) != wanted).ToList();
        if (changed.Count == 0)
        {
            return false;
        }

        if (active.Count == 1)
        {
            await ScaleAsync(deployment, active[0], wanted, cancellationToken);
            return true;
        }

        var allowed = wanted > 0 ? wanted + RollingUpdate.Limits(deployment).Surge : 0;
        var total = active.Sum(set => set.Spec.Replicas ?? 0);
        var toAdd = allowed - total;
        var ordered = toAdd > 0 ? active.OrderByDescending(set => set.Spec.Replicas) : active.OrderBy(set => set.Spec.Replicas);
        var left = toAdd;
        foreach (var set in ordered.ThenByDescending(set => set.Metadata.CreationTimestamp))
        {
            var replicas = set.Spec.Replicas ?? 0;
            var share = total == 0 ? left : (int)Math.Round((double)replicas * toAdd / total, MidpointRounding.AwayFromZero);
            share = toAdd > 0 ? Math.Min(share, left) : Math.Max(share, left);
            left -= share;
            await ScaleAsync(deployment, set, Math.Max(0, replicas + share), cancellationToken);
        }

        return true;
    }

    private async Task RollAsync(V1Deployment deployment, V1ReplicaSet current, List<V1ReplicaSet> others, CancellationToken cancellationToken)
    {
        var replicas = NewReplicas(deployment, current, others);
        if (replicas != (current.Spec.Replicas ?? 0))
        {
            await ScaleAsync(deployment, current, replicas, cancellationToken);
            return;
        }

        var wanted = deployment.Spec.Replicas ?? 1;
        var old = others.Where(set => set.Spec.Replicas > 0).OrderBy(set => set.Metadata.CreationTimestamp).ToList();
        if (old.Count == 0)
        {
            return;
        }

        var minAvailable = wanted - RollingUpdate.Limits(deployment).Unavailable;
        var unavailable = (current.Spec.Replicas ?? 0) - (current.Status?.AvailableReplicas ?? 0);
        var removable = old.Sum(set => set.Spec.Replicas ?? 0) + (current.Spec.Replicas ?? 0) - minAvailable - unavailable;
        if (removable <= 0)
        {
            return;
        }

        // Old pods that do not work go first: they make room without taking anything away.
        for (var i = 0; i < old.Count && removable > 0; i++)
        {
            var has = old[i].Spec.Replicas ?? 0;
            var broken = Math.Min(removable, has - (old[i].Status?.AvailableReplicas ?? 0));
            if (broken > 0)
            {
                old[i] = await ScaleAsync(deployment, old[i], has - broken, cancellationToken);
                removable -= broken;
            }
        }

        var surplus = old.Append(current).Sum(set => Math.Min(set.Status?.AvailableReplicas ?? 0, set.Spec.Replicas ?? 0)) - minAvailable;
        foreach (var set in old.Where(set => set.Spec.Replicas > 0))
        {
            var fewer = Math.Min(set.Spec.Replicas ?? 0, surplus);
            if (fewer <= 0)
            {
                return;
            }

            await ScaleAsync(deployment, set, (set.Spec.Replicas ?? 0) - fewer, cancellationToken);
            surplus -= fewer;
        }
    }

    private static int NewReplicas(V1Deployment deployment, V1ReplicaSet? current, List<V1ReplicaSet> others)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var has = current?.Spec.Replicas ?? 0;
        if (deployment.Spec.Strategy?.Type == "Recreate")
        {
            return wanted;
        }

        if (has > wanted)
        {
            return wanted;
        }

        var total = others.Sum(set => set.Spec.Replicas ?? 0) + has;
        var room = wanted + RollingUpdate.Limits(deployment).Surge - total;
        return room <= 0 ? has : has + Math.Min(room, wanted - has);
    }

    private async Task<V1ReplicaSet> ScaleAsync(V1Deployment deployment, V1ReplicaSet set, int replicas, CancellationToken cancellationToken)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var desired = wanted.ToString(CultureInfo.InvariantCulture);
        var before = set.Spec.Replicas ?? 0;
        if (before == replicas && set.Metadata.Annotations?.TryGetValue(DesiredReplicas, out var known) == true && known == desired)
        {
            return set;
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["annotations"] = new JsonObject
                {
                    [DesiredReplicas] = desired,
                    [MaxReplicas] = (wanted + RollingUpdate.Limits(deployment).Surge).ToString(CultureInfo.InvariantCulture),
                },
            },
            ["spec"] = new JsonObject { ["replicas"] = replicas },
        };
        var written = await Client.PatchAsync<V1ReplicaSet>(ObjectKey.Of(set), patch, cancellationToken);
        _sets.Observe(written);
        if (before != replicas)
        {
            var direction = replicas > before ? "up" : "down";
            Events.Normal(deployment, Component, "ScalingReplicaSet", $"Scaled {direction} replica set {set.Metadata.Name} from {before} to {replicas}");
        }

        return written;
    }

    private async Task ForgetOldAsync(V1Deployment deployment, IEnumerable<V1ReplicaSet> others, CancellationToken cancellationToken)
    {
        var idle = others.Where(set => set.Spec.Replicas == 0 && (set.Status?.Replicas ?? 0) == 0 && set.Metadata.DeletionTimestamp is null)
            .OrderBy(RevisionOf).ToList();
        foreach (var set in idle.Take(Math.Max(0, idle.Count - (deployment.Spec.RevisionHistoryLimit ?? 10))))
        {
            await Client.DeleteAsync(set, cancellationToken);
        }
    }

    private static Dictionary<string, string> Annotations(V1Deployment deployment, long revision)
    {
        var result = (deployment.Metadata.Annotations ?? new Dictionary<string, string>()).Where(pair => !OwnAnnotations.Contains(pair.Key)).ToDictionary();
        var wanted = deployment.Spec.Replicas ?? 1;
        result[Revision] = revision.ToString(CultureInfo.InvariantCulture);
        result[DesiredReplicas] = wanted.ToString(CultureInfo.InvariantCulture);
        result[MaxReplicas] = (wanted + RollingUpdate.Limits(deployment).Surge).ToString(CultureInfo.InvariantCulture);
        return result;
    }

    private static Dictionary<string, string> WithHash(IDictionary<string, string>? labels, string hash) =>
        new(labels ?? new Dictionary<string, string>()) { [PodTemplates.HashLabel] = hash };

    private static long RevisionOf(V1ReplicaSet set) =>
        set.Metadata.Annotations?.TryGetValue(Revision, out var text) == true && long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

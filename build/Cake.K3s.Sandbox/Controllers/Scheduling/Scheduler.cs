using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Scheduling;

/// <summary>Binds pods to nodes that have room for them.</summary>
internal sealed class Scheduler : Controller
{
    private const string Component = "default-scheduler";
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Node> _nodes;
    private readonly Informer<V1PersistentVolumeClaim> _claims;
    private readonly SemaphoreSlim _one = new(1, 1);

    public Scheduler(ControllerContext context)
        : base(context)
    {
        _pods = context.Cache.Of<V1Pod>();
        _nodes = context.Cache.Of<V1Node>();
        _claims = context.Cache.Of<V1PersistentVolumeClaim>();
        _pods.Changed += (old, now) =>
        {
            if (now is null || PodFacts.IsFinished(now))
            {
                WakeAll();
            }
            else if (string.IsNullOrEmpty(now.Spec.NodeName))
            {
                Queue.Add(ObjectKey.Of(now));
            }
        };
        _nodes.Changed += (old, now) =>
        {
            if (old is null || now is null || MergePatch.Between(old.Spec, now.Spec ?? new V1NodeSpec()) is not null
                || !Equal(old.Status?.Allocatable, now.Status?.Allocatable) || !Equal(old.Metadata.Labels, now.Metadata.Labels))
            {
                WakeAll();
            }
        };
        _claims.Changed += (_, _) => WakeAll();
    }

    public override void Dispose()
    {
        _one.Dispose();
        base.Dispose();
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        // One at a time, so that two pods are not given the same room.
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_pods.Find(key) is { } pod && string.IsNullOrEmpty(pod.Spec.NodeName) && PodFacts.IsActive(pod)
                && (pod.Spec.SchedulerName ?? Component) == Component && pod.Spec.SchedulingGates is not { Count: > 0 })
            {
                await ScheduleAsync(pod, cancellationToken);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task ScheduleAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(pod);
        var message = MissingClaim(pod);
        if (message is null)
        {
            var reasons = new List<IReadOnlyList<NodeRefusal>>();
            foreach (var node in _nodes.Items.Where(IsReady))
            {
                var onNode = _pods.Items.Where(other => other.Spec.NodeName == node.Metadata.Name && !PodFacts.IsFinished(other)).ToList();
                var why = SchedulingFilter.Reasons(pod, node, onNode);
                if (why.Count == 0)
                {
                    await BindAsync(pod, node, cancellationToken);
                    return;
                }

                reasons.Add(why);
            }

            if (reasons.Count == 0)
            {
                // The only node registers in a moment; saying so would look like a failure.
                return;
            }

            message = SchedulingFilter.Message(reasons);
        }

        var known = pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "PodScheduled");
        if (known is { Status: "False" } && known.Message == message)
        {
            return;
        }

        Events.Warning(pod, Component, "FailedScheduling", message);
        var condition = new V1PodCondition
        {
            Type = "PodScheduled",
            Status = "False",
            Reason = "Unschedulable",
            Message = message,
            LastTransitionTime = known?.LastTransitionTime ?? Now,
        };
        var conditions = new JsonArray();
        foreach (var each in (pod.Status?.Conditions ?? []).Where(other => other.Type != "PodScheduled").Append(condition))
        {
            conditions.Add(MergePatch.ToJson(each));
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = new JsonObject { ["conditions"] = conditions } };
        _pods.Observe(await Client.PatchAsync<V1Pod>(key, patch, cancellationToken, "status"));
    }

    private async Task BindAsync(V1Pod pod, V1Node node, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(pod);
        var binding = new V1Binding
        {
            ApiVersion = "v1",
            Kind = "Binding",
            Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace, Uid = pod.Metadata.Uid },
            Target = new V1ObjectReference { ApiVersion = "v1", Kind = "Node", Name = node.Metadata.Name },
        };
        try
        {
            await Client.PostAsync<V1Pod>(key, "binding", binding, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Deleted, or bound by an earlier try whose answer was lost.
            return;
        }

        Events.Normal(pod, Component, "Scheduled", $"Successfully assigned {key} to {node.Metadata.Name}");
        if (await Client.FindAsync<V1Pod>(key, cancellationToken) is { } bound)
        {
            _pods.Observe(bound);
        }
    }

    private string? MissingClaim(V1Pod pod)
    {
        foreach (var name in (pod.Spec.Volumes ?? []).Select(volume => volume.PersistentVolumeClaim?.ClaimName).OfType<string>())
        {
            var claim = _claims.Find(new(pod.Metadata.NamespaceProperty, name));
            if (claim is null)
            {
                return $"0/{_nodes.Items.Count()} nodes are available: persistentvolumeclaim \"{name}\" not found. not found";
            }
        }

        return null;
    }

    private void WakeAll()
    {
        foreach (var pod in _pods.Items.Where(pod => string.IsNullOrEmpty(pod.Spec.NodeName)))
        {
            Queue.Add(ObjectKey.Of(pod));
        }
    }

    private static bool IsReady(V1Node node) => node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;

    private static bool Equal<T>(IDictionary<string, T>? one, IDictionary<string, T>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0)
        && (one ?? new Dictionary<string, T>()).All(pair => other!.TryGetValue(pair.Key, out var value) && pair.Value?.ToString() == value?.ToString());
}

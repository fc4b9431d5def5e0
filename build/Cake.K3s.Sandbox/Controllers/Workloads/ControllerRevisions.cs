using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>The history of templates that StatefulSets and DaemonSets keep, as <c>kubectl rollout history</c> and <c>undo</c> read it.</summary>
internal sealed class ControllerRevisions(ControllerContext context)
{
    /// <summary>The label of pods that names their revision.</summary>
    public const string HashLabel = "controller-revision-hash";

    private readonly Informer<V1ControllerRevision> _revisions = context.Cache.Of<V1ControllerRevision>();

    /// <summary>The revisions of a workload, the oldest first.</summary>
    public List<V1ControllerRevision> Of(IKubernetesObject<V1ObjectMeta> owner) =>
        [.. _revisions.In(owner.Metadata.NamespaceProperty).Where(revision => Ownership.Owns(owner, revision)).OrderBy(revision => revision.Revision)];

    /// <summary>The revision of the present template; made, or made the newest again, when it has to be.</summary>
    public async Task<V1ControllerRevision> EnsureAsync(
        IKubernetesObject<V1ObjectMeta> owner, V1PodTemplateSpec template, V1LabelSelector selector, CancellationToken cancellationToken)
    {
        var all = Of(owner);
        var newest = all.Count == 0 ? 0 : all[^1].Revision;
        var known = all.FirstOrDefault(revision => TemplateOf(revision) is { } old && PodTemplates.Same(old, template));
        if (known is not null)
        {
            if (known.Revision == newest)
            {
                return known;
            }

            var raised = await context.Client.PatchAsync<V1ControllerRevision>(
                ObjectKey.Of(known), new JsonObject { ["revision"] = newest + 1 }, cancellationToken);
            _revisions.Observe(raised);
            return raised;
        }

        var hash = PodTemplates.Hash(template, null);
        var json = MergePatch.ToJson(template);
        json["$patch"] = "replace";
        var revision = new V1ControllerRevision
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"{owner.Metadata.Name}-{hash}",
                NamespaceProperty = owner.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(selector.MatchLabels ?? new Dictionary<string, string>()) { [HashLabel] = hash },
                OwnerReferences = [Ownership.ReferenceTo(owner)],
            },
            Data = new JsonObject { ["spec"] = new JsonObject { ["template"] = json } },
            Revision = newest + 1,
        };
        V1ControllerRevision created;
        try
        {
            created = await context.Client.CreateAsync(revision, cancellationToken);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            created = await context.Client.GetAsync<V1ControllerRevision>(ObjectKey.Of(revision), cancellationToken);
        }

        _revisions.Observe(created);
        return created;
    }

    /// <summary>The template of a revision.</summary>
    public static V1PodTemplateSpec? TemplateOf(V1ControllerRevision revision)
    {
        var template = JsonNode.Parse(KubernetesJson.Serialize(revision.Data))?["spec"]?["template"] as JsonObject;
        template?.Remove("$patch");
        return template is null ? null : KubernetesJson.Deserialize<V1PodTemplateSpec>(template.ToJsonString());
    }

    /// <summary>Deletes the oldest ones beyond the limit, but none that pods still have.</summary>
    public async Task ForgetOldAsync(IKubernetesObject<V1ObjectMeta> owner, int limit, IReadOnlySet<string> used, CancellationToken cancellationToken)
    {
        var unused = Of(owner).Where(revision => !used.Contains(HashOf(revision))).ToList();
        foreach (var revision in unused.Take(Math.Max(0, unused.Count - limit)))
        {
            await context.Client.DeleteAsync(revision, cancellationToken);
        }
    }

    public static string HashOf(V1ControllerRevision revision) =>
        revision.Metadata.Labels?.TryGetValue(HashLabel, out var hash) == true ? hash : revision.Metadata.Name;
}

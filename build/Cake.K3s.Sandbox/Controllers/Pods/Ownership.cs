using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Pods;

/// <summary>Which objects belong to a controller's object.</summary>
internal static class Ownership
{
    public static V1OwnerReference ReferenceTo(IKubernetesObject<V1ObjectMeta> owner) => new()
    {
        ApiVersion = owner.ApiVersion,
        Kind = owner.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    /// <summary>The controlling owner; null when there is none.</summary>
    public static V1OwnerReference? ControllerOf(IKubernetesObject<V1ObjectMeta> item) =>
        item.Metadata.OwnerReferences?.FirstOrDefault(reference => reference.Controller == true);

    /// <summary>The key of the owner, when it is of a kind.</summary>
    public static ObjectKey? OwnerOf(IKubernetesObject<V1ObjectMeta>? item, string kind) =>
        item is not null && ControllerOf(item) is { } owner && owner.Kind == kind ? new ObjectKey(item.Metadata.NamespaceProperty, owner.Name) : null;

    public static bool Owns(IKubernetesObject<V1ObjectMeta> owner, IKubernetesObject<V1ObjectMeta> item) =>
        ControllerOf(item)?.Uid == owner.Metadata.Uid;

    /// <summary>What the owner has, after taking over the selected ones that nobody controls.</summary>
    public static async Task<List<T>> ClaimAsync<T>(
        ClusterClient client, Informer<T> informer, IKubernetesObject<V1ObjectMeta> owner, V1LabelSelector? selector, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var result = new List<T>();
        foreach (var item in informer.In(owner.Metadata.NamespaceProperty))
        {
            if (Owns(owner, item))
            {
                result.Add(item);
            }
            else if (owner.Metadata.DeletionTimestamp is null && item.Metadata.DeletionTimestamp is null && ControllerOf(item) is null
                && LabelSelectors.Matches(selector, item.Metadata.Labels))
            {
                var references = new JsonArray();
                foreach (var reference in (item.Metadata.OwnerReferences ?? []).Append(ReferenceTo(owner)))
                {
                    references.Add(MergePatch.ToJson(reference));
                }

                var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = item.Metadata.Uid, ["ownerReferences"] = references } };
                var adopted = await client.PatchAsync<T>(ObjectKey.Of(item), patch, cancellationToken);
                informer.Observe(adopted);
                result.Add(adopted);
            }
        }

        return result;
    }
}

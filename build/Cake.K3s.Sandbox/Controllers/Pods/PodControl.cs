using Cake.K3s.Sandbox.Controllers.Client;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Pods;

/// <summary>Creates and deletes the pods of a workload, with the events that tell of it.</summary>
internal sealed class PodControl(ControllerContext context, string component)
{
    private readonly Informer<V1Pod> _pods = context.Cache.Of<V1Pod>();

    /// <summary>A pod as the template asks for it; name or name prefix, labels and the like are left to the caller.</summary>
    public static V1Pod FromTemplate(V1PodTemplateSpec template, IKubernetesObject<V1ObjectMeta> owner)
    {
        // A copy: what is in the cache is shared.
        var copy = KubernetesJson.Deserialize<V1PodTemplateSpec>(KubernetesJson.Serialize(template));
        return new()
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                NamespaceProperty = owner.Metadata.NamespaceProperty,
                Labels = copy.Metadata?.Labels ?? new Dictionary<string, string>(),
                Annotations = copy.Metadata?.Annotations ?? new Dictionary<string, string>(),
                Finalizers = copy.Metadata?.Finalizers,
                OwnerReferences = [Ownership.ReferenceTo(owner)],
            },
            Spec = copy.Spec,
        };
    }

    /// <exception cref="ApiException">The API refused, e.g. by quota; the FailedCreate event has been recorded.</exception>
    public async Task<V1Pod> CreateAsync(V1Pod pod, IKubernetesObject<V1ObjectMeta> owner, CancellationToken cancellationToken)
    {
        try
        {
            var created = await context.Client.CreateAsync(pod, cancellationToken);
            _pods.Observe(created);
            context.Events.Normal(owner, component, "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
            return created;
        }
        catch (ApiException e) when (e.Reason != "NamespaceTerminating" && !e.IsAlreadyExists)
        {
            context.Events.Warning(owner, component, "FailedCreate", $"Error creating: {e.Message}");
            throw;
        }
    }

    public async Task DeleteAsync(V1Pod pod, IKubernetesObject<V1ObjectMeta> owner, CancellationToken cancellationToken)
    {
        await context.Client.DeleteAsync(pod, cancellationToken);
        context.Events.Normal(owner, component, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
        if (await context.Client.FindAsync<V1Pod>(ObjectKey.Of(pod), cancellationToken) is { } left)
        {
            _pods.Observe(left);
        }
    }
}

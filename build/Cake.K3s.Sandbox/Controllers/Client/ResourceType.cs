using System.Reflection;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>Where the API serves a kind.</summary>
internal sealed record ResourceType(string ApiVersion, string Kind, string Plural, bool Namespaced)
{
    private static readonly HashSet<Type> ClusterScoped =
    [
        typeof(V1Namespace), typeof(V1Node), typeof(V1PersistentVolume), typeof(V1StorageClass), typeof(V1PriorityClass), typeof(V1IngressClass),
        typeof(V1CustomResourceDefinition), typeof(V1RuntimeClass),
    ];

    /// <summary>The type of a model of KubernetesClient.</summary>
    public static ResourceType Of<T>()
        where T : IKubernetesObject<V1ObjectMeta> => Known<T>.Type;

    /// <summary>The path of the collection, or of one object, or of a subresource of it.</summary>
    public string Path(string? ns = null, string? name = null, string? subresource = null)
    {
        var path = ApiVersion.Contains('/', StringComparison.Ordinal) ? $"/apis/{ApiVersion}" : $"/api/{ApiVersion}";
        if (Namespaced && !string.IsNullOrEmpty(ns))
        {
            path += $"/namespaces/{ns}";
        }

        path += $"/{Plural}";
        if (name is not null)
        {
            path += $"/{Uri.EscapeDataString(name)}";
        }

        return subresource is null ? path : $"{path}/{subresource}";
    }

    private static ResourceType From(Type model)
    {
        var entity = model.GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new ArgumentException($"{model.Name} is not a kind of the Kubernetes API.", nameof(model));
        var apiVersion = string.IsNullOrEmpty(entity.Group) ? entity.ApiVersion : $"{entity.Group}/{entity.ApiVersion}";
        return new(apiVersion, entity.Kind, entity.PluralName, !ClusterScoped.Contains(model));
    }

    private static class Known<T>
    {
        public static readonly ResourceType Type = From(typeof(T));
    }
}

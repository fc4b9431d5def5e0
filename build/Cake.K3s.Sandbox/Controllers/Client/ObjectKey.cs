using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>Names an object of a kind; <see cref="Namespace"/> is empty for cluster-scoped kinds.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(IKubernetesObject<V1ObjectMeta> item) => new(item.Metadata.NamespaceProperty ?? "", item.Metadata.Name);

    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

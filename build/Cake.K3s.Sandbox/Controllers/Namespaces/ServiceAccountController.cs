using Cake.K3s.Sandbox.Controllers.Client;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Namespaces;

/// <summary>Gives every namespace its ServiceAccount <c>default</c>.</summary>
internal sealed class ServiceAccountController : Controller
{
    private const string Default = "default";
    private readonly Informer<V1Namespace> _namespaces;
    private readonly Informer<V1ServiceAccount> _accounts;

    public ServiceAccountController(ControllerContext context)
        : base(context)
    {
        _namespaces = context.Cache.Of<V1Namespace>();
        _accounts = context.Cache.Of<V1ServiceAccount>();
        _namespaces.Changed += (old, now) => Queue.Add(new("", (now ?? old)!.Metadata.Name));
        _accounts.Changed += (old, now) => Queue.Add(new("", (now ?? old)!.Metadata.NamespaceProperty));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_namespaces.Find(key) is not { } space || space.Metadata.DeletionTimestamp is not null || _accounts.Find(new(key.Name, Default)) is not null)
        {
            return;
        }

        try
        {
            _accounts.Observe(await Client.CreateAsync(
                new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = Default, NamespaceProperty = key.Name } }, cancellationToken));
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // The API server, or another, has made it.
        }
    }
}

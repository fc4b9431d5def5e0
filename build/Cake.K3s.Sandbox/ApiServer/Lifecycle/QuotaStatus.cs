using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Admission;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Lifecycle;

/// <summary>Keeps in the status of each ResourceQuota what of it is used.</summary>
internal sealed class QuotaStatus : StoreController<string>
{
    private const string Quotas = "resourcequotas";

    private readonly ResourceCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ResourceQuotas _quotas;

    /// <summary>The namespaces that have quotas and wait to be counted (true) or are counted (false).</summary>
    private readonly Dictionary<string, bool> _namespaces = new(StringComparer.Ordinal);

    public QuotaStatus(ObjectStore store, ResourceCatalog catalog, ObjectWriter writer, ResourceQuotas quotas, ILogger<QuotaStatus> logger)
        : base(store, logger)
    {
        (_catalog, _writer, _quotas) = (catalog, writer, quotas);
        foreach (var quota in store.List(Quotas).Objects)
        {
            Count(quota.Key.Namespace, isQuota: true);
        }
    }

    protected override void Handle(string inNamespace)
    {
        lock (_namespaces)
        {
            _namespaces[inNamespace] = false;
        }

        var quotas = Store.List(Quotas, inNamespace).Objects;
        foreach (var quota in quotas)
        {
            Write(quota);
        }

        if (quotas.Count == 0)
        {
            lock (_namespaces)
            {
                _namespaces.Remove(inNamespace);
            }
        }
    }

    protected override void OnChanged(WatchEvent change)
    {
        if (change.Object.Key is { Namespace.Length: > 0, Resource: not "events" and not "events.events.k8s.io" } key)
        {
            Count(key.Namespace, key.Resource == Quotas);
        }
    }

    /// <summary>Has a namespace counted soon, unless it has no quota or waits already.</summary>
    private void Count(string inNamespace, bool isQuota)
    {
        lock (_namespaces)
        {
            if (_namespaces.TryGetValue(inNamespace, out var waits) ? waits : !isQuota)
            {
                return;
            }

            _namespaces[inNamespace] = true;
        }

        Note(inNamespace);
    }

    private void Write(StoredObject quota)
    {
        var status = new JsonObject { ["hard"] = quota.Shared.Object("spec").Object("hard")?.DeepClone() ?? new JsonObject(), ["used"] = _quotas.Used(quota) };
        if (quota.Shared["status"].SameAs(status))
        {
            return;
        }

        try
        {
            _writer.Update(_catalog.Current.Find(new GroupVersion("", "v1"), Quotas)!, quota.Key, "status", present =>
            {
                present["status"] = status.DeepClone();
                return present;
            }, new WriteOptions { Manager = "kube-controller-manager" });
        }
        catch (ApiException exception) when (exception.Code == 404)
        {
            // It has been deleted meanwhile.
        }
    }
}

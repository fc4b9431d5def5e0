using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Lifecycle;

/// <summary>
/// Gives each namespace what every one has (the default service account, the root certificate), and empties those that are
/// being deleted before it lets them go.
/// </summary>
internal sealed class NamespaceLifecycle : StoreController<string>
{
    private static readonly string[] FirstNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

    private readonly ResourceCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ObjectDeleter _deleter;
    private readonly ApiServerOptions _options;
    private readonly HashSet<string> _terminating = new(StringComparer.Ordinal);

    public NamespaceLifecycle(
        ObjectStore store, ResourceCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, ApiServerOptions options, ILogger<NamespaceLifecycle> logger)
        : base(store, logger)
    {
        (_catalog, _writer, _deleter, _options) = (catalog, writer, deleter, options);
    }

    /// <summary>Makes the namespaces of a new cluster before the first request is answered.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var name in FirstNamespaces)
        {
            if (Store.Find(new ObjectKey("namespaces", "", name)) is null)
            {
                Create("v1", "namespaces", "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
            }
        }

        foreach (var state in Store.List("namespaces").Objects)
        {
            Note(state.Key.Name);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override void Handle(string name)
    {
        if (Store.Find(new ObjectKey("namespaces", "", name)) is not { } state)
        {
            lock (_terminating)
            {
                _terminating.Remove(name);
            }

            return;
        }

        if (state.Shared.Metadata().Text("deletionTimestamp") is null)
        {
            Furnish(name);
            return;
        }

        lock (_terminating)
        {
            _terminating.Add(name);
        }

        Empty(state);
    }

    protected override void OnChanged(WatchEvent change)
    {
        var key = change.Object.Key;
        if (key.Resource == "namespaces")
        {
            Note(key.Name);
        }
        else if (change.Deleted && key.Namespace.Length > 0)
        {
            lock (_terminating)
            {
                if (_terminating.Contains(key.Namespace))
                {
                    Note(key.Namespace);
                }
            }
        }
    }

    private void Furnish(string name)
    {
        if (Store.Find(new ObjectKey("serviceaccounts", name, "default")) is null)
        {
            Create("v1", "serviceaccounts", name, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        }

        if (_options.CertificateAuthority is { } certificate && Store.Find(new ObjectKey("configmaps", name, "kube-root-ca.crt")) is null)
        {
            Create("v1", "configmaps", name, new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" },
                ["data"] = new JsonObject { ["ca.crt"] = certificate },
            });
        }
    }

    private void Empty(StoredObject state)
    {
        var left = 0;
        foreach (var resource in _catalog.Current.Stored.Where(resource => resource.Namespaced))
        {
            foreach (var content in Store.List(resource.StorageName, state.Key.Name).Objects)
            {
                left++;
                try
                {
                    _deleter.Delete(resource, content.Key, new DeleteRequest());
                    left -= Store.Find(content.Key) is null ? 1 : 0;
                }
                catch (ApiException exception) when (exception.Code == 404)
                {
                    left--;
                }
            }
        }

        if (left > 0)
        {
            return;
        }

        var resourceOfNamespaces = _catalog.Current.Find(new GroupVersion("", "v1"), "namespaces")!;
        try
        {
            _writer.Update(resourceOfNamespaces, state.Key, "finalize", value =>
            {
                value.Ensure("spec").Remove("finalizers");
                return value;
            }, new WriteOptions { Manager = "kube-controller-manager" });
        }
        catch (ApiException exception) when (exception.Code == 404)
        {
            // It is gone already.
        }
    }

    private void Create(string apiVersion, string plural, string inNamespace, JsonObject value)
    {
        var resource = _catalog.Current.Find(GroupVersion.Parse(apiVersion), plural)!;
        value["apiVersion"] = apiVersion;
        value["kind"] = resource.Kind;
        try
        {
            _writer.Create(resource, inNamespace, value, new WriteOptions { Manager = "kube-controller-manager" });
        }
        catch (ApiException exception) when (exception.Code is 409 or 403 or 404)
        {
            // Made by somebody else, or the namespace is going.
        }
    }
}

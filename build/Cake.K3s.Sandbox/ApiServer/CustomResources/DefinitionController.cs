using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Lifecycle;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.CustomResources;

/// <summary>Serves what CustomResourceDefinitions define, says so in their status, and removes the objects of one that goes.</summary>
internal sealed class DefinitionController : StoreController<string>
{
    /// <summary>Holds a definition back until its objects are gone.</summary>
    public const string Cleanup = "customresourcecleanup.apiextensions.k8s.io";

    private const string Resource = "customresourcedefinitions.apiextensions.k8s.io";

    private readonly ResourceCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ObjectDeleter _deleter;
    private readonly ApiServerOptions _options;

    public DefinitionController(
        ObjectStore store, ResourceCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, ApiServerOptions options, ILogger<DefinitionController> logger)
        : base(store, logger)
    {
        (_catalog, _writer, _deleter, _options) = (catalog, writer, deleter, options);
    }

    /// <summary>Serves what was defined before, before the first request is answered.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var state in Store.List(Resource).Objects)
        {
            _catalog.SetCustom(state.Key.Name, DefinitionReader.Read(state.ReadObject()));
            Note(state.Key.Name);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override void Handle(string name)
    {
        if (Store.Find(new ObjectKey(Resource, "", name)) is not { } state)
        {
            _catalog.SetCustom(name, []);
            return;
        }

        var definition = state.ReadObject();
        if (definition.Metadata().Text("deletionTimestamp") is not null)
        {
            RemoveObjects(state.Key, definition);
            return;
        }

        if (definition.Object("status") is { } status && status.Integer("observedGeneration") == definition.Metadata().Integer("generation") && _catalog.Current.FindStored(name) is not null)
        {
            return;
        }

        _catalog.SetCustom(name, DefinitionReader.Read(definition));
        Establish(state.Key);
    }

    protected override void OnChanged(WatchEvent change)
    {
        if (change.Object.Key.Resource == Resource)
        {
            Note(change.Object.Key.Name);
        }
        else if (change.Deleted && change.Object.Key.Resource.Contains('.', StringComparison.Ordinal))
        {
            // The last object of a definition that waits for it.
            Note(change.Object.Key.Resource);
        }
    }

    private void Establish(ObjectKey key) => Update(key, "status", definition =>
    {
        var spec = definition.Object("spec");
        var status = definition.Ensure("status");
        var stored = spec.Objects("versions").FirstOrDefault(version => version.Flag("storage") == true).Text("name");
        status["acceptedNames"] = spec?["names"]?.DeepClone();
        status["storedVersions"] = new JsonArray([.. status.Texts("storedVersions").Append(stored ?? "").Distinct(StringComparer.Ordinal).Where(name => name.Length > 0).Select(name => (JsonNode)name)]);
        status["observedGeneration"] = definition.Metadata().Integer("generation") ?? 1;
        if (status.List("conditions") is not { Count: > 0 })
        {
            status["conditions"] = new JsonArray(
                Condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                Condition("Established", "InitialNamesAccepted", "the initial names have been accepted"));
        }

        return definition;
    });

    private JsonObject Condition(string type, string reason, string message) => new()
    {
        ["lastTransitionTime"] = ObjectAccess.Rfc3339(_options.Clock.GetUtcNow()),
        ["message"] = message,
        ["reason"] = reason,
        ["status"] = "True",
        ["type"] = type,
    };

    private void RemoveObjects(ObjectKey key, JsonObject definition)
    {
        if (_catalog.Current.FindStored(key.Name) is { } resource)
        {
            foreach (var state in Store.List(resource.StorageName).Objects)
            {
                try
                {
                    _deleter.Delete(resource, state.Key, new DeleteRequest());
                }
                catch (ApiException exception) when (exception.Code == 404)
                {
                    // It is gone already.
                }
            }

            if (Store.List(resource.StorageName).Objects.Count > 0)
            {
                return;
            }
        }

        if (definition.Metadata().Texts("finalizers").Contains(Cleanup))
        {
            Update(key, null, value =>
            {
                var kept = value.Metadata().Texts("finalizers").Where(name => name != Cleanup).Select(name => (JsonNode)name).ToArray();
                value.Metadata()["finalizers"] = new JsonArray(kept);
                return value;
            });
        }
    }

    private void Update(ObjectKey key, string? subresource, Func<JsonObject, JsonObject> change)
    {
        var definitions = _catalog.Current.FindStored(Resource)!;
        try
        {
            _writer.Update(definitions, key, subresource, change, new WriteOptions { Manager = "kube-apiserver" });
        }
        catch (ApiException exception) when (exception.Code == 404)
        {
            // It is gone already.
        }
    }
}

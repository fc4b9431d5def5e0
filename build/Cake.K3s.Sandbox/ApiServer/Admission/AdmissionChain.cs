using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>What the kinds themselves ask for before an object is stored: defaults, validation, and what depends on other objects.</summary>
internal sealed class AdmissionChain
{
    /// <summary>Completes a new object and checks it.</summary>
    public void PrepareCreate(ResourceDefinition resource, JsonObject value, WriteOptions write)
    {
        if (resource.StorageName == "namespaces")
        {
            value.Ensure("spec")["finalizers"] = new JsonArray("kubernetes");
            value["status"] = new JsonObject { ["phase"] = "Active" };
            value.Metadata().Ensure("labels")["kubernetes.io/metadata.name"] = value.Name();
        }
    }

    /// <summary>Completes a changed object and checks it against the old one.</summary>
    public void PrepareUpdate(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource, WriteOptions write)
    {
    }

    /// <summary>Takes what a new object uses up (quota, addresses); the result is held until it is stored.</summary>
    public IDisposable? AdmitCreate(ResourceDefinition resource, JsonObject value, WriteOptions write) => null;

    /// <summary>The same for a changed object.</summary>
    public IDisposable? AdmitUpdate(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource, WriteOptions write) => null;
}

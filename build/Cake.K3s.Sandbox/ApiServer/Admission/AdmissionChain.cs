using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Access;
using Cake.K3s.Sandbox.ApiServer.Admission.Policies;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>What the kinds themselves ask for before an object is stored: defaults, validation, and what depends on other objects.</summary>
internal sealed class AdmissionChain(
    ServiceAddresses addresses, ResourceQuotas quotas, LimitRanges limitRanges, PriorityClasses priorities, AdmissionPolicies policies,
    RoleEscalation escalation, ObjectStore store)
{
    /// <summary>Completes a new object and checks it.</summary>
    /// <exception cref="ApiException">It is not valid.</exception>
    public void PrepareCreate(ResourceDefinition resource, JsonObject value, WriteOptions write)
    {
        KindDefaults.Apply(resource, value);
        InitialState.Apply(resource, value);
        if (resource.StorageName == "pods")
        {
            priorities.Apply(value);
            CheckAccount(resource, value);
            limitRanges.Apply(value);
            PodDefaults.ApplyToPod(value.Object("spec")!);
            InitialState.SetQualityOfService(value);
        }

        if (resource.StorageName == "persistentvolumeclaims")
        {
            limitRanges.CheckClaim(value);
        }

        Throw(resource, value, [.. ObjectValidation.Create(resource, value)]);
        escalation.Check(resource, value, write.User);
        policies.Check(new AdmissionAttempt("CREATE", resource, null, value, null, write.User, write.DryRun, write.Warnings));
    }

    /// <summary>Completes a changed object and checks it against the old one.</summary>
    /// <exception cref="ApiException">It is not valid.</exception>
    public void PrepareUpdate(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource, WriteOptions write)
    {
        if (subresource != "status")
        {
            CompleteUpdate(resource, value, old, subresource);
            escalation.Check(resource, value, write.User);
        }

        policies.Check(new AdmissionAttempt("UPDATE", resource, subresource, value, old, write.User, write.DryRun, write.Warnings));
    }

    /// <summary>Takes what a new object uses up (quota, addresses); the result is held until it is stored.</summary>
    /// <exception cref="ApiException">There is not enough left.</exception>
    public IDisposable? AdmitCreate(ResourceDefinition resource, JsonObject value, WriteOptions write)
    {
        var charge = quotas.Admit(resource, value, null);
        return resource.StorageName == "services" ? addresses.Allocate(resource, value, null, charge) : charge;
    }

    /// <summary>The same for a changed object.</summary>
    /// <exception cref="ApiException">There is not enough left.</exception>
    public IDisposable? AdmitUpdate(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource, WriteOptions write)
    {
        if (subresource is not null)
        {
            return null;
        }

        var charge = quotas.Admit(resource, value, old);
        return resource.StorageName == "services" ? addresses.Allocate(resource, value, old, charge) : charge;
    }

    /// <summary>The default account is not asked for: a real cluster makes it with the namespace, too, but not always sooner than the first pod.</summary>
    private void CheckAccount(ResourceDefinition resource, JsonObject pod)
    {
        if (pod.Object("spec").Text("serviceAccountName") is { Length: > 0 } account and not "default"
            && store.Find(new ObjectKey("serviceaccounts", pod.Namespace() ?? "", account)) is null)
        {
            throw ApiErrors.Forbidden(resource, pod.Name() ?? "", $"error looking up service account {pod.Namespace()}/{account}: serviceaccount \"{account}\" not found");
        }
    }

    private static void CompleteUpdate(ResourceDefinition resource, JsonObject value, JsonObject old, string? subresource)
    {
        KindDefaults.Apply(resource, value);
        if (resource.StorageName == "services")
        {
            ServiceAddresses.Keep(value, old);
        }

        if (resource.StorageName == "namespaces" && subresource != "finalize" && old.Object("spec")?["finalizers"] is { } finalizers)
        {
            value.Ensure("spec")["finalizers"] = finalizers.DeepClone();
        }

        Throw(resource, value, [.. ObjectValidation.Update(resource, value, old, subresource)]);
    }

    private static void Throw(ResourceDefinition resource, JsonObject value, IReadOnlyList<FieldError> errors)
    {
        if (errors.Count > 0)
        {
            throw ApiErrors.Invalid(resource, value.Name() ?? value.Metadata().Text("generateName") ?? "", errors);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Selectors;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.Cel;

namespace Cake.K3s.Sandbox.ApiServer.Admission.Policies;

/// <summary>
/// Asks the ValidatingAdmissionPolicies that are bound whether a change may be made. They hold from the moment that policy and binding are stored;
/// a real server takes up to a few seconds to notice them.
/// </summary>
internal sealed class AdmissionPolicies(ObjectStore store, ResourceCatalog catalog)
{
    private const string Policies = "validatingadmissionpolicies.admissionregistration.k8s.io";
    private const string Bindings = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

    /// <summary>A stored state never changes, so neither does what was compiled of it.</summary>
    private readonly ConditionalWeakTable<StoredObject, Compiled> _compiled = [];

    /// <summary>Lets a change through, with the warnings that policies give.</summary>
    /// <exception cref="ApiException">A policy denies it.</exception>
    public void Check(AdmissionAttempt attempt)
    {
        // Policies never apply to themselves, lest nobody can mend them.
        if (attempt.Resource.StorageName is Policies or Bindings || store.List(Bindings).Objects is not { Count: > 0 } bindings)
        {
            return;
        }

        (Denial Denial, string Message)? first = null;
        foreach (var binding in bindings)
        {
            var spec = binding.Shared.Object("spec");
            if (store.Find(new ObjectKey(Policies, "", spec.Text("policyName") ?? "")) is not { } policy)
            {
                continue;
            }

            foreach (var denial in Evaluate(policy, binding.Shared, attempt))
            {
                var names = $"ValidatingAdmissionPolicy '{policy.Key.Name}' with binding '{binding.Key.Name}'";
                var warning = $"Validation failed for {names}: {denial.Message}";
                if (spec.Texts("validationActions").Contains("Warn") && !attempt.Warnings.Contains(warning))
                {
                    attempt.Warnings.Add(warning);
                }

                if (spec.Texts("validationActions").Contains("Deny"))
                {
                    first ??= (denial, $"{names} denied request: {denial.Message}");
                }
            }
        }

        if (first is { } denied)
        {
            throw Denied(attempt, denied.Denial, denied.Message);
        }
    }

    private IEnumerable<Denial> Evaluate(StoredObject stored, JsonObject binding, AdmissionAttempt attempt)
    {
        var compiled = _compiled.GetValue(stored, Compiled.Of);
        if (compiled.Policy is not { } policy)
        {
            return compiled.Fails ? [new Denial(compiled.Error!, "Invalid")] : [];
        }

        var around = attempt.Namespace.Length > 0 ? store.Find(new ObjectKey("namespaces", "", attempt.Namespace))?.Shared : null;
        var labels = attempt.Resource.StorageName == "namespaces" ? attempt.Labels.First() : around?.Labels();
        if (!PolicyMatch.Matches(policy.Constraints, attempt, labels) || !PolicyMatch.Matches(binding.Object("spec", "matchResources"), attempt, labels))
        {
            return [];
        }

        return policy.Parameters is not { } kind
            ? policy.Evaluate(attempt, around, null)
            : WithParameters(policy, kind, binding.Object("spec", "paramRef"), attempt, around);
    }

    private IEnumerable<Denial> WithParameters(AdmissionPolicy policy, JsonObject kind, JsonObject? reference, AdmissionAttempt attempt, JsonObject? around)
    {
        if (reference is null)
        {
            return policy.Evaluate(attempt, around, null);
        }

        var version = GroupVersion.Parse(kind.Text("apiVersion") ?? "");
        if (catalog.Current.FindKind(version, kind.Text("kind") ?? "") is not { } resource)
        {
            return policy.Fails ? [new Denial($"failed to configure policy: failed to find resource referenced by paramKind: '{version}, Kind={kind.Text("kind")}'", "Invalid")] : [];
        }

        var inNamespace = resource.Namespaced ? reference.Text("namespace") ?? attempt.Namespace : "";
        var selector = reference.Object("selector") is { } labels ? LabelSelector.Of(labels) : null;
        var found = store.List(resource.StorageName, inNamespace).Objects
            .Where(item => selector is null ? item.Key.Name == reference.Text("name") : selector.Matches(item.Labels))
            .ToList();
        if (found.Count > 0)
        {
            return found.SelectMany(item => policy.Evaluate(attempt, around, item.Shared)).ToList();
        }

        return reference.Text("parameterNotFoundAction") == "Allow" || !policy.Fails
            ? []
            : [new Denial("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction", "Invalid")];
    }

    /// <summary>In the words of the API server: an error of 403 with another code and reason.</summary>
    private static ApiException Denied(AdmissionAttempt attempt, Denial denial, string message)
    {
        var details = ApiErrors.Details(attempt.Resource, attempt.Name, useKind: false);
        details["causes"] = new JsonArray(new JsonObject { ["message"] = message });
        var code = denial.Reason switch
        {
            "Forbidden" => 403,
            "Unauthorized" => 401,
            "RequestEntityTooLarge" => 413,
            _ => 422,
        };
        return new ApiException(code, denial.Reason, ApiErrors.Forbidden(attempt.Resource, attempt.Name, message).Message, details);
    }

    private sealed record Compiled(AdmissionPolicy? Policy, string? Error, bool Fails)
    {
        public static Compiled Of(StoredObject policy)
        {
            try
            {
                return new Compiled(new AdmissionPolicy(policy.Shared), null, true);
            }
            catch (CelException exception)
            {
                return new Compiled(null, $"compilation failed: {exception.Message}", policy.Shared.Object("spec").Text("failurePolicy") != "Ignore");
            }
        }
    }
}

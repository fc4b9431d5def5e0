using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Selectors;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Subresources;

/// <summary>Deletes pods as far as their disruption budgets allow: what <c>kubectl drain</c> asks for.</summary>
internal sealed class Evictions(ObjectStore store, ResourceCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, ApiServerOptions options)
{
    private const string Budgets = "poddisruptionbudgets.policy";

    /// <summary>Evicts a pod.</summary>
    /// <exception cref="ApiException">There is no such pod, or a budget does not allow it now (429).</exception>
    public JsonObject Evict(ResourceDefinition pods, ObjectKey key, JsonObject eviction, bool dryRun)
    {
        var pod = store.Find(key) ?? throw ApiErrors.NotFound(pods, key.Name);
        var request = DeleteRequest.Of(eviction.Object("deleteOptions"), new QueryCollection()) is var asked && dryRun ? asked with { DryRun = true } : asked;
        if (!NeedsNoBudget(pod.Shared))
        {
            var budgets = store.List(Budgets, key.Namespace).Objects
                .Where(budget => budget.Shared.Object("spec", "selector") is { } selector && LabelSelector.Of(selector).Matches(pod.Labels))
                .ToList();
            if (budgets.Count > 1)
            {
                throw new ApiException(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
            }

            if (budgets is [var one])
            {
                Charge(one.Key, key.Name, IsReady(pod.Shared), request.DryRun);
            }
        }

        deleter.Delete(pods, key, request);
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 };
    }

    private static bool NeedsNoBudget(JsonObject pod)
        => pod.Object("status").Text("phase") is "Succeeded" or "Failed" or "Pending" || pod.Metadata().Text("deletionTimestamp") is not null;

    private static bool IsReady(JsonObject pod)
        => pod.Object("status").Objects("conditions").Any(condition => condition.Text("type") == "Ready" && condition.Text("status") == "True");

    private void Charge(ObjectKey key, string pod, bool ready, bool dryRun)
    {
        var resource = catalog.Current.Find(new GroupVersion("policy", "v1"), "poddisruptionbudgets")!;
        writer.Update(resource, key, "status", budget =>
        {
            var status = budget.Ensure("status");
            if (!ready && budget.Object("spec").Text("unhealthyPodEvictionPolicy") == "AlwaysAllow")
            {
                return budget;
            }

            if (!ready && (status.Integer("currentHealthy") ?? 0) >= (status.Integer("desiredHealthy") ?? 0) && status.Integer("desiredHealthy") > 0)
            {
                return budget;
            }

            if ((status.Integer("observedGeneration") ?? 0) < (budget.Metadata().Integer("generation") ?? 0))
            {
                throw Refused($"The disruption budget {key.Name} is still being processed by the server.", 10);
            }

            var allowed = status.Integer("disruptionsAllowed") ?? 0;
            if (allowed <= 0)
            {
                throw Refused($"The disruption budget {key.Name} needs {status.Integer("desiredHealthy") ?? 0} healthy pods and has {status.Integer("currentHealthy") ?? 0} currently", 0);
            }

            status["disruptionsAllowed"] = allowed - 1;
            status.Ensure("disruptedPods")[pod] = ObjectAccess.Rfc3339(options.Clock.GetUtcNow());
            return budget;
        }, new WriteOptions { Manager = "kube-apiserver", DryRun = dryRun });
    }

    private static ApiException Refused(string cause, int retryAfter)
    {
        var details = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "DisruptionBudget", ["message"] = cause }) };
        const string Message = "Cannot evict pod as it would violate the pod's disruption budget.";
        return retryAfter > 0 ? ApiErrors.TooManyRequests(Message, retryAfter, details) : new ApiException(429, "TooManyRequests", Message, details);
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Default requests and limits of a namespace, and their bounds.</summary>
internal sealed class LimitRanges(ObjectStore store)
{
    /// <summary>Fills in the defaults of a pod's containers and checks the bounds.</summary>
    /// <exception cref="ApiException">A container is outside them.</exception>
    public void Apply(JsonObject pod)
    {
        foreach (var limit in Limits(pod, "Container"))
        {
            foreach (var container in pod.Object("spec").Objects("containers").Concat(pod.Object("spec").Objects("initContainers")))
            {
                Fill(container, "limits", limit.Object("default"));
                Fill(container, "requests", limit.Object("defaultRequest"));
                Check(pod, "pods", "Container", limit, container.Object("resources", "requests"), container.Object("resources", "limits"));
            }
        }
    }

    /// <summary>Checks the size of a claim.</summary>
    /// <exception cref="ApiException">It is outside the bounds.</exception>
    public void CheckClaim(JsonObject claim)
    {
        foreach (var limit in Limits(claim, "PersistentVolumeClaim"))
        {
            Check(claim, "persistentvolumeclaims", "PersistentVolumeClaim", limit, claim.Object("spec", "resources").Object("requests"), null);
        }
    }

    private IEnumerable<JsonObject> Limits(JsonObject value, string type)
        => store.List("limitranges", value.Namespace()).Objects
            .SelectMany(range => range.Shared.Object("spec").Objects("limits"))
            .Where(limit => limit.Text("type") == type);

    private static void Fill(JsonObject container, string list, JsonObject? defaults)
    {
        foreach (var (resource, quantity) in defaults ?? [])
        {
            if (quantity is not null && !(list == "requests" && container.Object("resources", "requests")?[resource] is not null))
            {
                container.Ensure("resources").Ensure(list).Default(resource, quantity.DeepClone());
            }
        }
    }

    private static void Check(JsonObject value, string plural, string type, JsonObject limit, JsonObject? requests, JsonObject? limits)
    {
        var problems = new List<string>();
        foreach (var (resource, bound) in limit.Map("min"))
        {
            if (Amount(requests, resource) is not { } request)
            {
                problems.Add($"minimum {resource} usage per {type} is {bound}.  No request is specified");
            }
            else if (request.Nano < Quantities.Nano(bound))
            {
                problems.Add($"minimum {resource} usage per {type} is {bound}, but request is {request.Text}");
            }
        }

        foreach (var (resource, bound) in limit.Map("max"))
        {
            if ((Amount(limits, resource) ?? (type == "Container" ? null : Amount(requests, resource))) is not { } most)
            {
                problems.Add($"maximum {resource} usage per {type} is {bound}.  No limit is specified");
            }
            else if (most.Nano > Quantities.Nano(bound))
            {
                problems.Add($"maximum {resource} usage per {type} is {bound}, but limit is {most.Text}");
            }
        }

        if (problems.Count > 0)
        {
            var text = problems.Count == 1 ? problems[0] : $"[{string.Join(", ", problems)}]";
            throw new ApiException(403, "Forbidden", $"{plural} \"{value.Name()}\" is forbidden: {text}", new JsonObject { ["name"] = value.Name(), ["kind"] = plural });
        }
    }

    private static (System.Numerics.BigInteger Nano, string Text)? Amount(JsonObject? list, string resource)
        => list.Text(resource) is { } text && Quantities.Nano(text) is { } nano ? (nano, text) : null;
}

using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Gives pods the priority of their class.</summary>
internal sealed class PriorityClasses(ObjectStore store)
{
    private const string Resource = "priorityclasses.scheduling.k8s.io";

    /// <exception cref="ApiException">There is no such class.</exception>
    public void Apply(JsonObject pod)
    {
        var spec = pod.Ensure("spec");
        var found = spec.Text("priorityClassName") switch
        {
            "system-node-critical" => (2000001000L, "PreemptLowerPriority"),
            "system-cluster-critical" => (2000000000L, "PreemptLowerPriority"),
            { Length: > 0 } name => Read(store.Find(new ObjectKey(Resource, "", name))
                ?? throw new ApiException(403, "Forbidden", $"pods \"{pod.Name()}\" is forbidden: no PriorityClass with name {name} was found",
                    new JsonObject { ["name"] = pod.Name(), ["kind"] = "pods" })),
            _ => store.List(Resource).Objects.FirstOrDefault(one => one.Shared.Flag("globalDefault") == true) is { } one
                ? Default(spec, one)
                : (0L, "PreemptLowerPriority"),
        };
        spec["priority"] = found.Item1;
        spec["preemptionPolicy"] = found.Item2;
    }

    private static (long, string) Default(JsonObject spec, StoredObject priorityClass)
    {
        spec["priorityClassName"] = priorityClass.Key.Name;
        return Read(priorityClass);
    }

    private static (long, string) Read(StoredObject priorityClass)
        => (priorityClass.Shared.Integer("value") ?? 0, priorityClass.Shared.Text("preemptionPolicy") ?? "PreemptLowerPriority");
}

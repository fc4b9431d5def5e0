using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Tests.Kubernetes.Readiness;

/// <summary>Objects as the controllers and the kubelet of Kubernetes 1.34 write them.</summary>
internal static class Given
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static string At(double seconds) =>
        Start.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    public static JsonObject Deployment(
        int wanted = 3, int total = 3, int updated = 3, int available = 3, string strategy = """{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}""",
        string conditions = "[]", int generation = 2, int observed = 2, string annotations = "") =>
        Json($$$"""
            {"apiVersion":"apps/v1","kind":"Deployment",
             "metadata":{"name":"api","namespace":"shop","uid":"d1","generation":{{{generation}}},
               "annotations":{"deployment.kubernetes.io/revision":"2"{{{annotations}}} }},
             "spec":{"replicas":{{{wanted}}},"strategy":{{{strategy}}} },
             "status":{"observedGeneration":{{{observed}}},"replicas":{{{total}}},"updatedReplicas":{{{updated}}},
               "availableReplicas":{{{available}}},"readyReplicas":{{{available}}},"conditions":{{{conditions}}} }}
            """);

    public static JsonObject ReplicaSet(string uid, int revision) =>
        Json($$$"""
            {"apiVersion":"apps/v1","kind":"ReplicaSet",
             "metadata":{"name":"api-{{{uid}}}","namespace":"shop","uid":"{{{uid}}}","annotations":{"deployment.kubernetes.io/revision":"{{{revision}}}"},
               "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"api","uid":"d1","controller":true}]}}
            """);

    public static JsonObject Pod(
        string containerStatuses, string initStatuses = "[]", bool ready = false, string owner = "new", string name = "api-new-1",
        string spec = """{"nodeName":"n1","containers":[{"name":"api"}]}""", string phase = "Running", string status = "") =>
        Json($$$"""
            {"apiVersion":"v1","kind":"Pod",
             "metadata":{"name":"{{{name}}}","namespace":"shop","uid":"{{{name}}}","creationTimestamp":"{{{At(0)}}}",
               "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-{{{owner}}}","uid":"{{{owner}}}","controller":true}]},
             "spec":{{{spec}}},
             "status":{"phase":"{{{phase}}}"{{{status}}},
               "conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"{{{(ready ? "True" : "False")}}}"}],
               "initContainerStatuses":{{{initStatuses}}},"containerStatuses":{{{containerStatuses}}} }}
            """);

    public static JsonObject Unscheduled(string message) =>
        Json($$$"""
            {"apiVersion":"v1","kind":"Pod",
             "metadata":{"name":"api-new-1","namespace":"shop","uid":"api-new-1","ownerReferences":[{"kind":"ReplicaSet","uid":"new"}]},
             "spec":{"containers":[{"name":"api"}]},
             "status":{"phase":"Pending",
               "conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"{{{message}}}"}]}}
            """);

    public static string Running(double since, bool ready, int restarts = 0, string last = "{}", string name = "api") =>
        $$$"""[{"name":"{{{name}}}","image":"reg/api:1","ready":{{{(ready ? "true" : "false")}}},"started":true,"restartCount":{{{restarts}}},"lastState":{{{last}}},"state":{"running":{"startedAt":"{{{At(since)}}}"} } }]""";

    public static string Waiting(string reason, string message = "", int restarts = 0, string last = "{}", string name = "api") =>
        $$$"""[{"name":"{{{name}}}","image":"reg/api:1","ready":false,"started":false,"restartCount":{{{restarts}}},"lastState":{{{last}}},"state":{"waiting":{"reason":"{{{reason}}}","message":{{{JsonValue.Create(message).ToJsonString()}}} } } }]""";

    public static string Terminated(string termination, int restarts = 0, string name = "api") =>
        $$$"""[{"name":"{{{name}}}","image":"reg/api:1","ready":false,"started":false,"restartCount":{{{restarts}}},"lastState":{},"state":{{{termination}}} }]""";

    public static string Ended(int exitCode, double from = 1, double to = 2, string reason = "Error", string message = "") =>
        $$$"""{"terminated":{"exitCode":{{{exitCode}}},"reason":"{{{reason}}}","message":"{{{message}}}","startedAt":"{{{At(from)}}}","finishedAt":"{{{At(to)}}}"}}""";

    public static JsonObject Event(string about, string reason, string message, double at, string? container = null)
    {
        var involved = new JsonObject { ["uid"] = about };
        if (container is not null)
        {
            involved["fieldPath"] = "spec.containers{" + container + "}";
        }

        return new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["involvedObject"] = involved,
            ["reason"] = reason,
            ["message"] = message,
            ["type"] = "Warning",
            ["firstTimestamp"] = At(at),
            ["lastTimestamp"] = At(at),
            ["count"] = 1,
        };
    }

    public static Observation Seen(JsonObject target, double now, IEnumerable<JsonObject>? pods = null, params JsonObject[] events) =>
        new()
        {
            Object = target,
            ReplicaSets = [ReplicaSet("old", 1), ReplicaSet("new", 2)],
            Pods = [.. pods ?? []],
            Events = [.. events],
            StartedAt = Start,
            Now = Start.AddSeconds(now),
        };

    public static Verdict JudgePod(JsonObject pod, double now, params JsonObject[] events) =>
        ReadinessRules.Judge(Seen(Deployment(updated: 1, available: 2), now, [pod], events));
}

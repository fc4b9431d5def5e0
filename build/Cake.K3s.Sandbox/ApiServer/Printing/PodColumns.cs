using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Printing;

/// <summary>The columns of pods: the words in STATUS are the ones operators look for.</summary>
internal static class PodColumns
{
    public static IEnumerable<Column> All =>
    [
        BuiltInColumns.Text("Ready", Ready),
        BuiltInColumns.Text("Status", Status),
        new Column("Restarts", (value, now) => Restarts(value, now)),
        new Column("Age", (value, now) => Ages.Since(value.Metadata().Text("creationTimestamp"), now)),
        BuiltInColumns.Wide("IP", value => value.Object("status").Text("podIP") ?? "<none>"),
        BuiltInColumns.Wide("Node", value => value.Object("spec").Text("nodeName") ?? "<none>"),
        BuiltInColumns.Wide("Nominated Node", value => value.Object("status").Text("nominatedNodeName") ?? "<none>"),
        BuiltInColumns.Wide("Readiness Gates", _ => "<none>"),
    ];

    private static string Ready(JsonObject value)
    {
        var ready = Statuses(value, "containerStatuses").Count(status => status.Flag("ready") == true && status.Object("state", "running") is not null);
        var sidecars = Sidecars(value);
        var readySidecars = Statuses(value, "initContainerStatuses").Count(status => sidecars.Contains(status.Text("name") ?? "") && status.Flag("ready") == true);
        return $"{ready + readySidecars}/{value.Object("spec").Objects("containers").Count() + sidecars.Count}";
    }

    private static string Status(JsonObject value)
    {
        var reason = value.Object("status").Text("reason") ?? value.Object("status").Text("phase") ?? "Unknown";
        var gated = value.Object("status").Objects("conditions").Any(condition => condition.Text("type") == "PodScheduled" && condition.Text("reason") == "SchedulingGated");
        reason = Initializing(value) ?? Running(value) ?? (gated ? "SchedulingGated" : reason);
        if (value.Metadata().Text("deletionTimestamp") is null)
        {
            return reason;
        }

        return value.Object("status").Text("reason") == "NodeLost" ? "Unknown" : value.Object("status").Text("phase") is "Succeeded" or "Failed" ? reason : "Terminating";
    }

    private static string? Initializing(JsonObject value)
    {
        var statuses = Statuses(value, "initContainerStatuses").ToArray();
        var sidecars = Sidecars(value);
        for (var at = 0; at < statuses.Length; at++)
        {
            var status = statuses[at];
            if (status.Object("state", "terminated").Integer("exitCode") == 0
                || (sidecars.Contains(status.Text("name") ?? "") && status.Flag("started") == true))
            {
                continue;
            }

            if (status.Object("state", "terminated") is { } terminated)
            {
                return "Init:" + (terminated.Text("reason") is { Length: > 0 } reason ? reason
                    : terminated.Integer("signal") is > 0 and var signal ? $"Signal:{signal}" : $"ExitCode:{terminated.Integer("exitCode")}");
            }

            return status.Object("state", "waiting").Text("reason") is { Length: > 0 } waiting and not "PodInitializing"
                ? "Init:" + waiting
                : $"Init:{at}/{value.Object("spec").Objects("initContainers").Count()}";
        }

        return null;
    }

    private static string? Running(JsonObject value)
    {
        string? result = null;
        var running = false;
        foreach (var status in Statuses(value, "containerStatuses").Reverse())
        {
            if (status.Object("state", "waiting").Text("reason") is { Length: > 0 } waiting)
            {
                result = waiting;
            }
            else if (status.Object("state", "terminated") is { } terminated)
            {
                result = terminated.Text("reason") is { Length: > 0 } reason ? reason
                    : terminated.Integer("signal") is > 0 and var signal ? $"Signal:{signal}" : $"ExitCode:{terminated.Integer("exitCode")}";
            }
            else
            {
                running |= status.Flag("ready") == true && status.Object("state", "running") is not null;
            }
        }

        if (result == "Completed" && running)
        {
            var ready = value.Object("status").Objects("conditions").Any(condition => condition.Text("type") == "Ready" && condition.Text("status") == "True");
            return ready ? "Running" : "NotReady";
        }

        return result;
    }

    private static string Restarts(JsonObject value, DateTimeOffset now)
    {
        var statuses = Statuses(value, "containerStatuses").Concat(Statuses(value, "initContainerStatuses")).ToArray();
        var restarts = statuses.Sum(status => status.Integer("restartCount") ?? 0);
        var last = statuses.Select(status => status.Object("lastState", "terminated").Text("finishedAt")).OfType<string>().Max(StringComparer.Ordinal);
        return restarts > 0 && last is not null ? $"{restarts} ({Ages.Since(last, now)} ago)" : restarts.ToString(CultureInfo.InvariantCulture);
    }

    private static IEnumerable<JsonObject> Statuses(JsonObject value, string field) => value.Object("status").Objects(field);

    private static HashSet<string> Sidecars(JsonObject value)
        => [.. value.Object("spec").Objects("initContainers").Where(container => container.Text("restartPolicy") == "Always").Select(container => container.Text("name") ?? "")];
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>
/// A Job whose pod looks to every policy like one of a workload and tries connections. It never becomes ready, so no Service sends it
/// traffic, and it belongs to its Job, so no other controller adopts it. Runs nothing.
/// </summary>
internal static class ProbeJob
{
    /// <summary>Labels the Jobs and their pods.</summary>
    public const string Label = "cake.k3s/probe";

    private const int TrySeconds = 2;
    private const int Limit = 60;

    /// <summary>The Job.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ns">Its namespace.</param>
    /// <param name="labels">The labels of the workload's pods.</param>
    /// <param name="targets">What to connect to.</param>
    /// <param name="image">An image with <c>sh</c> and BusyBox' <c>nc</c>.</param>
    /// <param name="node">The node on whose network it runs; null for a pod's network on any node.</param>
    public static JsonObject Of(
        string name, string ns, ImmutableDictionary<string, string> labels, IReadOnlyList<FlowTarget> targets, string image, string? node)
    {
        var own = new JsonObject { [Label] = name };
        foreach (var (key, value) in labels)
        {
            own[key] = value;
        }

        var spec = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["automountServiceAccountToken"] = false,
            ["enableServiceLinks"] = false,
            ["terminationGracePeriodSeconds"] = 0,
            ["securityContext"] = RestrictedSecurity.Pod(65534),
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "probe",
                ["image"] = image,
                ["command"] = new JsonArray("sh", "-c", Script(targets)),
                ["readinessProbe"] = new JsonObject
                {
                    // Later than the pod lives.
                    ["exec"] = new JsonObject { ["command"] = new JsonArray("false") },
                    ["initialDelaySeconds"] = 3600,
                },
                ["resources"] = new JsonObject
                {
                    ["requests"] = new JsonObject { ["cpu"] = "10m", ["memory"] = "16Mi" },
                    ["limits"] = new JsonObject { ["memory"] = "32Mi" },
                },
                ["securityContext"] = RestrictedSecurity.Container(),
            }),
        };
        if (node is not null)
        {
            spec["hostNetwork"] = true;
            spec["nodeName"] = node;
        }

        return new()
        {
            ["apiVersion"] = "batch/v1",
            ["kind"] = "Job",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = new JsonObject { [Label] = name } },
            ["spec"] = new JsonObject
            {
                ["backoffLimit"] = 0,
                ["activeDeadlineSeconds"] = Limit,

                // A run that is killed leaves nothing for long.
                ["ttlSecondsAfterFinished"] = 2 * Limit,
                ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = own }, ["spec"] = spec },
            },
        };
    }

    /// <summary>Reads what the pod has printed: by the number of the target whether it was reached. What it did not come to is missing.</summary>
    public static ImmutableDictionary<int, bool> Read(IEnumerable<string> lines) => lines
        .Select(line => line.Split(' '))
        .Where(words => words is [_, "open" or "closed"] && int.TryParse(words[0], CultureInfo.InvariantCulture, out _))
        .ToImmutableDictionary(words => int.Parse(words[0], CultureInfo.InvariantCulture), words => words[1] == "open");

    // All at the same time: a connection that is dropped takes its whole time.
    private static string Script(IReadOnlyList<FlowTarget> targets) => string.Join('\n',
    [
        // A new pod may have no filter in its first second.
        "sleep 1",
        .. targets.Select((target, number) => string.Create(
            CultureInfo.InvariantCulture,
            $"(if nc -w {TrySeconds} {target.To.Addresses[0]} {target.Port} </dev/null >/dev/null 2>&1; then echo {number} open; else echo {number} closed; fi) &")),
        "wait",
    ]);
}

using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Pods;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Node;

/// <summary>Pods and their containers for tests.</summary>
internal static class TestPods
{
    public static readonly DateTime Now = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>A pod of a spec in JSON, without the outer braces.</summary>
    public static V1Pod Pod(string spec, string name = "api-0") => KubernetesJson.Deserialize<V1Pod>($$$"""
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "{{{name}}}", "namespace": "shop", "uid": "uid-{{{name}}}", "labels": {"app": "api"}, "annotations": {"team": "a \"b\""}},
         "spec": { {{{spec}}} } }
        """);

    public static ContainerRecord Running(string name, int restarts = 0) => Record(name, "running", restarts) with { StartedAt = Now };

    public static ContainerRecord Exited(string name, int code, int restarts = 0) =>
        Record(name, "exited", restarts) with { ExitCode = code, StartedAt = Now, FinishedAt = Now };

    public static PodObservation Observe(params ContainerRecord[] records) => new()
    {
        Sandbox = Record(PodLabels.Sandbox, "running", 0),
        Address = "10.42.0.7",
        HostAddress = "10.42.0.1",
        Containers = records.ToLookup(record => record.Name),
        Ended = records.Where(record => record.State == "exited").ToDictionary(
            record => record.Id, record => new V1ContainerStateTerminated { ExitCode = record.ExitCode, Reason = record.ExitCode == 0 ? "Completed" : "Error" }),
        Started = records.Where(record => record.Running).Select(record => record.Id).ToHashSet(),
        Ready = records.Where(record => record.Running).Select(record => record.Id).ToHashSet(),
    };

    private static ContainerRecord Record(string name, string state, int restarts) => new()
    {
        Id = $"{name}-{restarts}",
        State = state,
        CreatedAt = Now,
        Labels = new Dictionary<string, string> { [PodLabels.Container] = name, [PodLabels.RestartCount] = $"{restarts}" },
    };
}

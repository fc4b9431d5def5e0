using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.Tests.Kubernetes.Releases;

/// <summary>Releases and objects for tests.</summary>
internal static class A
{
    public static readonly DateTimeOffset Time = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static Release Release(int number, ReleaseState state = ReleaseState.Verified, string? content = null, string? schema = null) => new()
    {
        Number = number,
        State = state,
        Content = content ?? $"content-{number}",
        By = "ann@laptop",
        SchemaVersion = schema,
        StartedAt = Time,
    };

    public static JsonObject Map(string name, string value) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { ["value"] = value },
    };
}

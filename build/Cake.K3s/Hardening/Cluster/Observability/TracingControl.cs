using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.Observability;

/// <summary>Spans of the app and of deploys are collected and kept.</summary>
[ProvedBy("manifests, against the types' schemas", "K3s' Helm controller and Tempo's answers; the collector and Tempo are not run")]
internal sealed class TracingControl(ControlCluster cluster, ManifestLoader loader, ChartInstaller installer, TimeProvider time)
    : ChartControl(cluster, loader, installer, time)
{
    private readonly string _trace = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _span = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private readonly TimeProvider _time = time;

    /// <inheritdoc/>
    public override string Name => "Tracing";

    /// <inheritdoc/>
    public override string Protects => "Where the time of a slow request or deploy went can be seen afterwards.";

    /// <inheritdoc/>
    protected override string Key => "hardening.tracing";

    /// <inheritdoc/>
    protected override ImmutableArray<string>? Folders => Cluster.Hardening.Tracing?.FoldersOr("manifests/observability/tracing");

    /// <summary>A span that is sent to the collector is found in Tempo.</summary>
    protected override async Task<ImmutableArray<Finding>> MeasureAsync(
        ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        await api.PostServiceAsync("tracing", "otel-collector:4318", "v1/traces", Probe(), cancellationToken);
        var found = await api.ServiceJsonAsync("tracing", "tempo:3200", "api/traces/" + _trace, cancellationToken);
        return found.Objects("batches").Any()
            ? [new(Name, "spans", ControlState.InPlace, "a span that was sent to the collector is in Tempo", ["trace " + _trace])]
            : [new(Name, "spans", ControlState.Missing, "a span that was sent to the collector is not in Tempo", ["trace " + _trace])];
    }

    // OTLP's JSON form: ids in hexadecimal, 64 bit numbers as text.
    private JsonObject Probe()
    {
        var now = (_time.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000).ToString(CultureInfo.InvariantCulture);
        return new()
        {
            ["resourceSpans"] = new JsonArray(new JsonObject
            {
                ["resource"] = new JsonObject
                {
                    ["attributes"] = new JsonArray(new JsonObject { ["key"] = "service.name", ["value"] = new JsonObject { ["stringValue"] = "cake-k3s-probe" } }),
                },
                ["scopeSpans"] = new JsonArray(new JsonObject
                {
                    ["spans"] = new JsonArray(new JsonObject
                    {
                        ["traceId"] = _trace,
                        ["spanId"] = _span,
                        ["name"] = "probe",
                        ["kind"] = 1,
                        ["startTimeUnixNano"] = now,
                        ["endTimeUnixNano"] = now,
                    }),
                }),
            }),
        };
    }
}

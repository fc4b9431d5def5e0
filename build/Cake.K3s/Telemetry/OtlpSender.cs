using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cake.K3s.Telemetry;

/// <summary>Sends spans by OTLP over HTTP. Nothing of OpenTelemetry is loaded before this is used.</summary>
internal static class OtlpSender
{
    private const string Source = "Cake.K3s";

    /// <summary>Sends a span with all in it.</summary>
    /// <param name="endpoint">The collector's base address, as in OTEL_EXPORTER_OTLP_ENDPOINT.</param>
    /// <param name="root">The span.</param>
    /// <param name="limit">How long sending may take.</param>
    /// <returns>Whether the collector took it.</returns>
    public static bool Send(Uri endpoint, RunSpan root, TimeSpan limit)
    {
        // A source of its own name: another run in this process must not send these spans too.
        var name = $"{Source}.{Guid.NewGuid():N}";
        using var source = new ActivitySource(name);
        var exporter = new Exporter(new()
        {
            Endpoint = new(endpoint.AbsoluteUri.TrimEnd('/') + "/v1/traces"),
            Protocol = OtlpExportProtocol.HttpProtobuf,
            TimeoutMilliseconds = (int)limit.TotalMilliseconds,
        });
        using var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(name)
            .SetSampler<AlwaysOnSampler>()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("cake-k3s", serviceVersion: typeof(OtlpSender).Assembly.GetName().Version?.ToString(3)))
            .AddProcessor(new BatchActivityExportProcessor(exporter))
            .Build();
        Record(source, root, default);
        return provider.ForceFlush((int)limit.TotalMilliseconds) && exporter.Sent;
    }

    private static void Record(ActivitySource source, RunSpan span, ActivityContext parent)
    {
        using var activity = source.StartActivity(span.Name, ActivityKind.Internal, parent, span.Attributes, startTime: span.From);
        if (activity is null)
        {
            return;
        }

        foreach (var child in span.Children)
        {
            Record(source, child, activity.Context);
        }

        activity.SetStatus(span.Failure is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, span.Failure);
        activity.SetEndTime(span.To.UtcDateTime);
    }

    /// <summary>Remembers whether the collector took what it was sent; OpenTelemetry itself tells nobody.</summary>
    private sealed class Exporter(OtlpExporterOptions options) : OtlpTraceExporter(options)
    {
        private int _sent;
        private int _failed;

        public bool Sent => Volatile.Read(ref _sent) > 0 && Volatile.Read(ref _failed) == 0;

        public override ExportResult Export(in Batch<Activity> activityBatch)
        {
            var result = base.Export(activityBatch);
            Interlocked.Increment(ref result == ExportResult.Success ? ref _sent : ref _failed);
            return result;
        }
    }
}

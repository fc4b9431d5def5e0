namespace Cake.K3s.Settings;

/// <summary>Where a run tells what it did and how long that took.</summary>
public sealed record TelemetrySettings
{
    /// <summary>
    /// The base address of an OpenTelemetry collector that takes OTLP over HTTP, e.g. <c>http://localhost:4318</c>; the environment variable
    /// OTEL_EXPORTER_OTLP_ENDPOINT goes before it. Null for none.
    /// </summary>
    [Pattern("^https?://[^ ]+$", "an address that begins with http:// or https://")]
    public string? Otlp { get; init; }
}

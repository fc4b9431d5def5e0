using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Telemetry;

/// <summary>Registers what this folder offers.</summary>
internal static class TelemetryServices
{
    internal static IServiceCollection AddTelemetry(this IServiceCollection services) => services.AddSingleton<IRunObserver, SpanObserver>();
}

using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Settings;

namespace Cake.K3s.Telemetry;

/// <summary>
/// Sends a run's spans when it has ended, where an OTLP address is set. What cannot be sent is a warning: it neither changes how the run
/// ended nor keeps it from ending.
/// </summary>
internal sealed class SpanObserver(
    RunRecorder recorder, Lazy<PipelineRun> run, EnvironmentVariables variables, ICakeLog log, ISecretMask mask) : IRunObserver, IAsyncDisposable
{
    /// <summary>The variable that OpenTelemetry itself reads.</summary>
    public const string Variable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private Task _sending = Task.CompletedTask;

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        if (runEvent is RunEnded && recorder.HasRun && (variables[Variable] ?? run.Value.KnownSettings?.Telemetry.Otlp) is { } address)
        {
            _sending = SendAsync(address);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _sending;

    private async Task SendAsync(string address)
    {
        var record = recorder.Record() with { App = run.Value.KnownSettings?.App, Environment = run.Value.KnownEnvironment };
        try
        {
            // Beside the run, which goes on to its end; what still hangs after the limit ends with the process.
            var sent = Uri.TryCreate(address, UriKind.Absolute, out var endpoint)
                && await Task.Run(() => OtlpSender.Send(endpoint, RunSpans.Of(record), Limit)).WaitAsync(Limit);
            if (!sent)
            {
                Warn(address, "it did not take them");
            }
        }
        catch (TimeoutException)
        {
            Warn(address, $"no answer within {Limit.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException or FileNotFoundException)
        {
            Warn(address, e.Message);
        }
    }

    private void Warn(string address, string why) =>
        log.Warning("{0}", mask.Hide($"telemetry: the spans of this run were not sent to {address}: {why}. Next: correct {Variable}, or 'telemetry' in deploy.yaml."));
}

using Cake.K3s.Sandbox.Controllers.Client;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Probes;

/// <summary>
/// Runs the probes of one container instance and keeps their verdicts: startup first, then readiness and liveness, with the thresholds
/// of the spec (kubelet prober/worker.go).
/// </summary>
internal sealed class ContainerProbes : IAsyncDisposable
{
    private const string Component = "kubelet";

    // A kubelet learns of a new container with its next look at the runtime; before that it does not probe.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Prober _prober;
    private readonly EventRecorder _events;
    private readonly TimeProvider _time;
    private readonly V1Pod _pod;
    private readonly V1Container _container;
    private readonly string _containerId;
    private readonly string _address;
    private readonly Action _changed;
    private readonly Task _run;

    /// <summary>Starts probing.</summary>
    /// <param name="prober">Does the single probes.</param>
    /// <param name="events">Gets the Unhealthy events.</param>
    /// <param name="time">The clock.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="container">Its container.</param>
    /// <param name="containerId">The engine's id of the instance.</param>
    /// <param name="address">The pod's IP.</param>
    /// <param name="known">What the API knows about this very instance, when the node takes it over; else null.</param>
    /// <param name="startedAt">When the instance started.</param>
    /// <param name="changed">Called when a verdict changes.</param>
    public ContainerProbes(
        Prober prober,
        EventRecorder events,
        TimeProvider time,
        V1Pod pod,
        V1Container container,
        string containerId,
        string address,
        V1ContainerStatus? known,
        DateTimeOffset startedAt,
        Action changed)
    {
        (_prober, _events, _time, _pod, _container, _containerId, _address, _changed) = (prober, events, time, pod, container, containerId, address, changed);
        Started = container.StartupProbe is null || known?.Started == true;
        Ready = container.ReadinessProbe is null || known?.Ready == true;
        _run = RunAsync(startedAt, _stop.Token);
    }

    /// <summary>The startup probe has passed, or there is none.</summary>
    public bool Started { get; private set; }

    /// <summary>The readiness probe passes, or there is none.</summary>
    public bool Ready { get; private set; }

    /// <summary>Why the container has to be killed; null while it need not be.</summary>
    public string? Unhealthy { get; private set; }

    /// <summary>How long a container that was found unhealthy has to end; null leaves it to the pod.</summary>
    public long? GracePeriodSeconds { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync(DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (!Started)
        {
            await LoopAsync(_container.StartupProbe, "Startup", startedAt, false, passed =>
            {
                if (passed)
                {
                    Started = true;
                }
                else
                {
                    Kill(_container.StartupProbe, "startup");
                }

                _changed();
                return false;
            }, cancellationToken);
        }

        if (Unhealthy is not null)
        {
            return;
        }

        await Task.WhenAll(
            LoopAsync(_container.ReadinessProbe, "Readiness", startedAt, Ready, passed =>
            {
                Ready = passed;
                _changed();
                return true;
            }, cancellationToken),
            LoopAsync(_container.LivenessProbe, "Liveness", startedAt, true, passed =>
            {
                if (!passed)
                {
                    Kill(_container.LivenessProbe, "liveness");
                    _changed();
                }

                return passed;
            }, cancellationToken));
    }

    /// <summary>Probes until the verdict's handler says to stop; hands it each change of the verdict.</summary>
    private async Task LoopAsync(V1Probe? probe, string kind, DateTimeOffset startedAt, bool verdict, Func<bool, bool> decided, CancellationToken cancellationToken)
    {
        if (probe is null)
        {
            return;
        }

        var delay = TimeSpan.FromSeconds(probe.InitialDelaySeconds ?? 0);
        var initial = startedAt + (delay > FirstLook ? delay : FirstLook) - _time.GetUtcNow();
        if (initial > TimeSpan.Zero)
        {
            await Task.Delay(initial, _time, cancellationToken);
        }

        var period = TimeSpan.FromSeconds(Math.Max(1, probe.PeriodSeconds ?? 10));
        var (lastPassed, run) = (false, 0);
        while (true)
        {
            var result = await _prober.ProbeAsync(probe, _container, _containerId, _address, cancellationToken);
            run = run > 0 && lastPassed == result.Passed ? run + 1 : 1;
            lastPassed = result.Passed;
            if (!result.Passed)
            {
                _events.Warning(_pod, Component, "Unhealthy", $"{kind} probe failed: {result.Output}", ContainerPath.Of(_pod, _container));
            }

            var threshold = result.Passed ? probe.SuccessThreshold ?? 1 : probe.FailureThreshold ?? 3;
            var undecided = kind == "Startup";
            if (run >= threshold && (undecided || verdict != result.Passed))
            {
                verdict = result.Passed;
                if (!decided(verdict))
                {
                    return;
                }
            }

            await Task.Delay(period, _time, cancellationToken);
        }
    }

    private void Kill(V1Probe probe, string kind)
    {
        GracePeriodSeconds = probe.TerminationGracePeriodSeconds;
        Unhealthy = $"Container {_container.Name} failed {kind} probe, will be restarted";
    }
}

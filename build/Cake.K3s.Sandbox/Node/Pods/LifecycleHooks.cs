using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Probes;
using Docker.DotNet;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Runs what a container asks for after its start and before its end.</summary>
internal sealed class LifecycleHooks(PodDependencies with)
{
    /// <summary>Runs a hook of a container; says what went wrong, or nothing.</summary>
    public async Task<string> RunAsync(string address, V1Container container, string id, V1LifecycleHandler hook, CancellationToken cancellationToken)
    {
        if (hook.Exec is { } exec)
        {
            var (code, output) = await with.Engine.ExecAsync(id, [.. exec.Command ?? []], cancellationToken);
            return code == 0 ? "" : $"command '{string.Join(' ', exec.Command ?? [])}' exited with {code}: {output}";
        }

        if (hook.HttpGet is { } http)
        {
            var result = await with.Prober.GetAsync(http, container, address, cancellationToken);
            return result.Passed ? "" : result.Output;
        }

        if (hook.Sleep is { } sleep)
        {
            await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds), with.Time, cancellationToken);
        }

        return "";
    }

    /// <summary>Runs the pre-stop hook, for the grace period at the most; its failure is an event and holds nothing up.</summary>
    public async Task PreStopAsync(
        string address, V1Pod pod, V1Container container, ContainerRecord instance, V1LifecycleHandler hook, TimeSpan grace, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(grace);
        var failure = "";
        try
        {
            failure = await RunAsync(address, container, instance.Id, hook, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            failure = "it did not end within the grace period";
        }
        catch (DockerApiException e)
        {
            failure = EngineError.Message(e);
        }

        if (failure.Length > 0)
        {
            with.Events.Warning(pod, PodWorker.Component, "FailedPreStopHook", $"PreStopHook failed: {failure}", ContainerPath.Of(pod, container));
        }
    }
}

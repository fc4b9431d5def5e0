using Cake.K3s.Sandbox.Node.Engine;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>The status of a pod as a kubelet writes it (kubelet_pods.go: getPhase, convertToAPIContainerStatuses; status/generate.go).</summary>
internal static class PodStatusBuilder
{
    /// <param name="pod">The pod with the status that the API has.</param>
    /// <param name="seen">What runs.</param>
    /// <param name="now">For conditions that change.</param>
    public static V1PodStatus Build(V1Pod pod, PodObservation seen, DateTime now)
    {
        var spec = pod.Spec;
        var old = pod.Status ?? new V1PodStatus();
        var init = Statuses(spec.InitContainers ?? [], old.InitContainerStatuses, seen, initialized: true);
        var initialized = InitDone(spec, init, seen);
        var main = Statuses(spec.Containers, old.ContainerStatuses, seen, initialized);
        var phase = Phase(spec, init, main, initialized, seen);
        var final = phase is "Succeeded" or "Failed";
        var status = new V1PodStatus
        {
            Phase = phase,
            Reason = seen.Evicted?.Reason,
            Message = seen.Evicted?.Message,
            HostIP = seen.HostAddress,
            HostIPs = [new V1HostIP { Ip = seen.HostAddress }],
            PodIP = seen.Address.Length > 0 ? seen.Address : old.PodIP,
            StartTime = old.StartTime ?? now,
            QosClass = old.QosClass ?? Quantities.QualityOfService(spec),
            NominatedNodeName = old.NominatedNodeName,
            ObservedGeneration = old.ObservedGeneration,
            Resize = old.Resize,
            EphemeralContainerStatuses = old.EphemeralContainerStatuses,
            InitContainerStatuses = init.Count > 0 ? init : null,
            ContainerStatuses = main,
        };
        status.PodIPs = string.IsNullOrEmpty(status.PodIP) ? null : [new V1PodIP { Ip = status.PodIP }];
        if (final)
        {
            foreach (var container in main)
            {
                container.Ready = false;
                container.Started = false;

                // An instance that could not be started and that nothing restarts has ended; it waits for nothing.
                if (container.State.Waiting is not null && container.LastState?.Terminated is { } ended)
                {
                    container.State = new V1ContainerState { Terminated = ended };
                    container.LastState = new V1ContainerState();
                }
            }
        }

        status.Conditions = Conditions(pod, status, initialized, seen, now);
        return status;
    }

    private static List<V1ContainerStatus> Statuses(IEnumerable<V1Container> containers, IList<V1ContainerStatus>? old, PodObservation seen, bool initialized)
    {
        var result = new List<V1ContainerStatus>();
        foreach (var container in containers)
        {
            var before = old?.FirstOrDefault(status => status.Name == container.Name);
            result.Add(Status(container, before, seen, initialized));
        }

        return result;
    }

    private static V1ContainerStatus Status(V1Container container, V1ContainerStatus? before, PodObservation seen, bool initialized)
    {
        var instances = seen.Containers[container.Name].Where(record => !record.NeverStarted).ToList();
        var latest = instances.FirstOrDefault();
        var waiting = seen.Waiting.GetValueOrDefault(container.Name);
        var status = new V1ContainerStatus
        {
            Name = container.Name,
            Image = container.Image,
            ImageID = latest is null ? before?.ImageID ?? "" : seen.ImageIds.GetValueOrDefault(latest.Id, latest.ImageId),
            ContainerID = latest is null ? before?.ContainerID : "docker://" + latest.Id,
            RestartCount = latest?.RestartCount ?? before?.RestartCount ?? 0,
            LastState = Last(instances.Skip(1).FirstOrDefault(), seen) ?? before?.LastState ?? new V1ContainerState(),
            Started = false,
        };
        if (latest is null)
        {
            status.State = before?.State?.Terminated is { } ended
                ? new V1ContainerState { Terminated = ended }
                : Waiting(waiting ?? new(initialized ? "ContainerCreating" : "PodInitializing", ""));
            return status;
        }

        if (latest.Running)
        {
            status.State = new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = latest.StartedAt?.UtcDateTime } };
            status.Started = seen.Started.Contains(latest.Id);
            status.Ready = status.Started == true && seen.Ready.Contains(latest.Id);
            return status;
        }

        var terminated = seen.Ended.GetValueOrDefault(latest.Id) ?? new V1ContainerStateTerminated { ExitCode = latest.ExitCode, Reason = "Error" };
        if (waiting is not null && !seen.Terminated)
        {
            status.State = Waiting(waiting);
            status.LastState = new V1ContainerState { Terminated = terminated };
        }
        else
        {
            status.State = new V1ContainerState { Terminated = terminated };
        }

        return status;
    }

    private static V1ContainerState? Last(ContainerRecord? previous, PodObservation seen) =>
        previous is not null && seen.Ended.TryGetValue(previous.Id, out var ended) ? new V1ContainerState { Terminated = ended } : null;

    private static V1ContainerState Waiting(WaitReason reason) => new()
    {
        Waiting = new V1ContainerStateWaiting { Reason = reason.Reason, Message = reason.Message.Length > 0 ? reason.Message : null },
    };

    private static bool InitDone(V1PodSpec spec, List<V1ContainerStatus> init, PodObservation seen)
    {
        if (spec.Containers.Any(container => seen.Containers[container.Name].Any()))
        {
            foreach (var status in init)
            {
                status.Ready = status.State.Terminated?.ExitCode == 0 || status.Ready;
            }

            return true;
        }

        var done = true;
        foreach (var (container, status) in (spec.InitContainers ?? []).Zip(init))
        {
            var complete = container.RestartPolicy == "Always" ? status.Started == true : status.State.Terminated?.ExitCode == 0;
            status.Ready = container.RestartPolicy == "Always" ? status.Ready : complete;
            if (!done && status.State.Waiting is { Reason: "ContainerCreating" } waiting)
            {
                waiting.Reason = "PodInitializing";
            }

            done &= complete;
        }

        return done;
    }

    private static string Phase(V1PodSpec spec, List<V1ContainerStatus> init, List<V1ContainerStatus> main, bool initialized, PodObservation seen)
    {
        if (seen.Evicted is not null)
        {
            return "Failed";
        }

        var initFailed = spec.RestartPolicy == "Never" && (spec.InitContainers ?? []).Zip(init).Any(pair =>
            pair.First.RestartPolicy != "Always" && pair.Second.State.Terminated is { ExitCode: not 0 });
        if (initFailed)
        {
            return "Failed";
        }

        if (!initialized)
        {
            return seen.Terminated ? "Failed" : "Pending";
        }

        var waiting = main.Count(status => status.State.Waiting is not null && status.LastState.Terminated is null);
        var running = main.Count(status => status.State.Running is not null);
        var stopped = main.Count(status => status.State.Terminated is not null || (status.State.Waiting is not null && status.LastState.Terminated is not null));
        var succeeded = main.Count(status => status.State.Terminated is { ExitCode: 0 });
        if (seen.Terminated)
        {
            return succeeded == main.Count ? "Succeeded" : "Failed";
        }

        if (waiting > 0)
        {
            return "Pending";
        }

        if (running > 0 || stopped == 0)
        {
            return running > 0 ? "Running" : "Pending";
        }

        return spec.RestartPolicy switch
        {
            "Never" => succeeded == stopped ? "Succeeded" : "Failed",
            "OnFailure" when succeeded == stopped => "Succeeded",
            _ => "Running",
        };
    }

    private static List<V1PodCondition> Conditions(V1Pod pod, V1PodStatus status, bool initialized, PodObservation seen, DateTime now)
    {
        var final = status.Phase is "Succeeded" or "Failed";
        var unready = status.ContainerStatuses.Where(container => !container.Ready).Select(container => container.Name)
            .Concat((pod.Spec.InitContainers ?? []).Zip(status.InitContainerStatuses ?? [])
                .Where(pair => pair.First.RestartPolicy == "Always" && !pair.Second.Ready).Select(pair => pair.First.Name)).ToList();
        var (reason, message) = status.Phase == "Succeeded" ? ("PodCompleted", null)
            : status.Phase == "Failed" ? ("PodFailed", null)
            : unready.Count > 0 ? ("ContainersNotReady", (string?)$"containers with unready status: [{string.Join(' ', unready)}]")
            : ((string?)null, null);
        var containersReady = !final && unready.Count == 0;
        var gates = (pod.Spec.ReadinessGates ?? []).Where(gate =>
            pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == gate.ConditionType)?.Status != "True").ToList();
        var incomplete = (pod.Spec.InitContainers ?? []).Zip(status.InitContainerStatuses ?? [])
            .Where(pair => !pair.Second.Ready).Select(pair => pair.First.Name);

        var own = new List<V1PodCondition>
        {
            Condition("PodReadyToStartContainers", seen.Sandbox is not null, null, null),
            final && status.Phase == "Succeeded" ? Condition("Initialized", true, "PodCompleted", null)
                : initialized ? Condition("Initialized", true, null, null)
                : Condition("Initialized", false, "ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', incomplete)}]"),
            containersReady && gates.Count > 0
                ? Condition("Ready", false, "ReadinessGatesNotReady", string.Join(", ", gates.Select(gate => $"corresponding condition of pod readiness gate \"{gate.ConditionType}\" does not exist.")))
                : Condition("Ready", containersReady, reason, message),
            Condition("ContainersReady", containersReady, reason, message),
            Condition("PodScheduled", true, null, null),
        };
        var before = pod.Status?.Conditions ?? [];
        foreach (var condition in own)
        {
            var old = before.FirstOrDefault(c => c.Type == condition.Type);
            condition.LastTransitionTime = old is not null && old.Status == condition.Status ? old.LastTransitionTime ?? now : now;
            condition.ObservedGeneration = old?.ObservedGeneration;
        }

        return [.. own, .. before.Where(condition => own.All(mine => mine.Type != condition.Type))];
    }

    private static V1PodCondition Condition(string type, bool value, string? reason, string? message) =>
        new() { Type = type, Status = value ? "True" : "False", Reason = reason, Message = message };
}

using System.Collections.Concurrent;
using System.Threading.Channels;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Probes;
using Cake.K3s.Sandbox.Node.Volumes;
using Docker.DotNet;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>
/// Keeps the containers of one pod as its spec wants them, the way a kubelet's pod worker does: each round looks at what runs, does what
/// is missing, and writes the status. Rounds follow on changes of the pod, its containers, its probes, and when a back-off is over.
/// </summary>
internal sealed class PodWorker : IAsyncDisposable
{
    /// <summary>What its events are from.</summary>
    public const string Component = "kubelet";
    private static readonly TimeSpan ConfigRetry = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan VolumeRefresh = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FailureRetry = TimeSpan.FromSeconds(1);

    private readonly PodDependencies _with;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _terminating = new();
    private readonly Dictionary<string, WaitReason> _waiting = [];
    private readonly Dictionary<string, ContainerProbes> _probes = [];
    private readonly ConcurrentDictionary<string, V1LifecycleHandler> _postStart = new();
    private readonly Dictionary<string, V1ContainerStateTerminated> _ended = [];
    private readonly Dictionary<string, string> _imageIds = [];
    private readonly RestartBackOff _restarts = new();
    private readonly PullHistory _pulls = new();
    private readonly PodSandbox _sandbox;
    private readonly LifecycleHooks _hooks;
    private readonly Task _run;
    private volatile V1Pod _pod;
    private volatile bool _gone;
    private string? _mountError;
    private WaitReason? _evicted;

    public PodWorker(V1Pod pod, PodDependencies with)
    {
        (_pod, _with, _sandbox, _hooks) = (pod, with, new(with), new(with));
        NoticeDeletion();
        _wake.Writer.TryWrite(true);
        _run = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>Completes when nothing of the pod is left on the engine.</summary>
    public Task Finished => _run;

    private string Uid => _pod.Metadata.Uid;

    private DateTimeOffset Now => _with.Time.GetUtcNow();

    /// <summary>Takes a new state of the pod from the API.</summary>
    public void Update(V1Pod pod)
    {
        _pod = pod;
        NoticeDeletion();
        Wake();
    }

    /// <summary>The pod is no longer in the API: its containers must go.</summary>
    public void Gone()
    {
        _gone = true;
        _terminating.Cancel();
        Wake();
    }

    /// <summary>Asks for another round.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DropProbesAsync();
        _stop.Dispose();
        _terminating.Dispose();
    }

    private void NoticeDeletion()
    {
        if (_pod.Metadata.DeletionTimestamp is not null)
        {
            _terminating.Cancel();
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan? next = TimeSpan.Zero;
        while (true)
        {
            await WaitAsync(next, cancellationToken);
            try
            {
                (var finished, next) = await RoundAsync(cancellationToken);
                if (finished)
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // What was under way, e.g. a pull, was given up because the pod is to end.
                next = TimeSpan.Zero;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _with.Logger.LogWarning(e, "Pod {Namespace}/{Name}: next try in {Pause}", _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, FailureRetry);
                next = FailureRetry;
            }
        }
    }

    private async Task WaitAsync(TimeSpan? atMost, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var woken = _wake.Reader.WaitToReadAsync(timeout.Token).AsTask();
        if (atMost is { } limit)
        {
            await Task.WhenAny(woken, Task.Delay(limit, _with.Time, timeout.Token));
        }
        else
        {
            await woken;
        }

        cancellationToken.ThrowIfCancellationRequested();
        _wake.Reader.TryRead(out _);
        await timeout.CancelAsync();
    }

    private async Task<(bool Finished, TimeSpan? Next)> RoundAsync(CancellationToken cancellationToken)
    {
        var pod = _pod;
        var network = await _with.Engine.PrepareAsync(cancellationToken);
        var records = await _with.Engine.ListAsync(Uid, cancellationToken);
        await NoteEndedAsync(pod, records, cancellationToken);
        if (_gone || pod.Metadata.DeletionTimestamp is not null)
        {
            await TerminateAsync(pod, network, records, cancellationToken);
            return (true, null);
        }

        var host = network.Gateway.ToString();
        if (pod.Status?.Phase is "Succeeded" or "Failed")
        {
            await StopAllAsync(pod, records, cancellationToken);
            await DropProbesAsync();
            return (false, null);
        }

        using var doing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _terminating.Token);
        if (Overdue(pod) <= TimeSpan.Zero)
        {
            _evicted = new("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
            _with.Events.Normal(pod, Component, "DeadlineExceeded", _evicted.Message);
            await StopAllAsync(pod, records, cancellationToken);
            await PublishAsync(pod, host, cancellationToken);
            return (false, null);
        }

        var next = Earliest(await WorkAsync(pod, records, network, doing.Token), Overdue(pod));
        var status = await PublishAsync(_pod, host, cancellationToken);
        if (status.Phase is "Succeeded" or "Failed")
        {
            await DropProbesAsync();
            await StopAllAsync(pod, await _with.Engine.ListAsync(Uid, cancellationToken), cancellationToken);
            return (false, null);
        }

        return (false, next);
    }

    private TimeSpan? Overdue(V1Pod pod) => pod.Spec.ActiveDeadlineSeconds is { } seconds && pod.Status?.StartTime is { } start
        ? start.AddSeconds(seconds) - Now.UtcDateTime
        : null;

    /// <summary>Starts what should run and does not; returns when to look again without being woken.</summary>
    private async Task<TimeSpan?> WorkAsync(V1Pod pod, IReadOnlyList<ContainerRecord> records, PodNetwork network, CancellationToken cancellationToken)
    {
        await PublishAsync(pod, network.Gateway.ToString(), cancellationToken, records);
        var sandbox = await _sandbox.EnsureAsync(pod, records, cancellationToken);
        await _with.Policies.GuardAsync(pod, sandbox, cancellationToken);
        var address = pod.Spec.HostNetwork == true ? network.Gateway.ToString() : sandbox.Address;
        var place = new PodPlace(
            address, network.Gateway.ToString(), [.. _with.Cache.Of<V1Service>().Items], await _with.Capacity.ReadAsync(cancellationToken));
        IReadOnlyDictionary<string, string> volumes;
        try
        {
            volumes = await _with.Volumes.PrepareAsync(pod, place, cancellationToken);
            _mountError = null;
        }
        catch (VolumeException e)
        {
            if (_mountError != e.Message)
            {
                _with.Events.Warning(pod, Component, "FailedMount", e.Message);
            }

            _mountError = e.Message;
            return ConfigRetry;
        }

        var current = records.Where(record => record.Labels.GetValueOrDefault(PodLabels.SandboxId) == sandbox.Id).ToLookup(record => record.Name);
        var round = new Round(pod, sandbox, place, volumes, records.ToLookup(record => record.Name), current);
        TimeSpan? next = (pod.Spec.Volumes ?? []).Any(IsRefreshed) ? VolumeRefresh : null;
        var (initialized, wait) = await InitializeAsync(round, cancellationToken);
        next = Earliest(next, wait);
        if (!initialized)
        {
            return next;
        }

        foreach (var container in pod.Spec.Containers)
        {
            next = Earliest(next, await KeepAsync(round, container, cancellationToken));
        }

        return next;
    }

    private async Task<(bool Initialized, TimeSpan? Next)> InitializeAsync(Round round, CancellationToken cancellationToken)
    {
        TimeSpan? next = null;
        var past = round.Pod.Spec.Containers.Any(container => round.Current[container.Name].Any());
        foreach (var container in round.Pod.Spec.InitContainers ?? [])
        {
            var latest = round.Current[container.Name].FirstOrDefault();
            if (container.RestartPolicy == "Always")
            {
                next = Earliest(next, await KeepAsync(round, container, cancellationToken));
                latest = (await _with.Engine.ListAsync(Uid, cancellationToken)).FirstOrDefault(record =>
                    record.Name == container.Name && record.Labels.GetValueOrDefault(PodLabels.SandboxId) == round.Sandbox.Id);
                if (latest is { Running: true } && _probes.TryGetValue(latest.Id, out var probes) && probes.Started)
                {
                    continue;
                }

                if (!past)
                {
                    return (false, next);
                }
            }
            else if (!past && !(latest is { State: "exited", ExitCode: 0, Error.Length: 0 }))
            {
                var wait = latest is { Running: true } ? null : await KeepAsync(round, container, cancellationToken);
                return (false, Earliest(next, wait));
            }
        }

        return (true, next);
    }

    /// <summary>Brings one container to where it should be.</summary>
    private async Task<TimeSpan?> KeepAsync(Round round, V1Container container, CancellationToken cancellationToken)
    {
        var (pod, name) = (round.Pod, container.Name);
        var latest = round.Current[name].FirstOrDefault();
        if (latest is { NeverStarted: true })
        {
            await _with.Engine.RemoveAsync(latest.Id, cancellationToken);
            latest = round.Current[name].Skip(1).FirstOrDefault();
        }

        if (latest is { Running: true })
        {
            var probes = Probe(pod, container, latest, round.Place.PodAddress);
            var message = probes.Unhealthy
                ?? (latest.Labels.GetValueOrDefault(PodLabels.Hash) != ContainerSpecification.Hash(container) ? $"Container {name} definition changed, will be restarted" : null);
            if (message is null)
            {
                _waiting.Remove(name);
                return null;
            }

            _with.Events.Normal(pod, Component, "Killing", message, ContainerPath.Of(pod, container));
            await StopAsync(round.Place.PodAddress, pod, container, latest, Grace(pod, probes.GracePeriodSeconds), cancellationToken);
            Wake();
            return null;
        }

        if (latest is not null && !Restarts(pod, container, latest))
        {
            _waiting.Remove(name);
            return null;
        }

        var history = round.All[name].FirstOrDefault(record => !record.NeverStarted);
        if (latest is not null)
        {
            var now = Now;
            var remaining = _restarts.Remaining(name, latest.FinishedAt ?? latest.CreatedAt, now);
            if (remaining > TimeSpan.Zero)
            {
                var pause = RestartBackOff.Format(_restarts.Pause(name));
                if (_waiting.GetValueOrDefault(name)?.Reason != "CrashLoopBackOff")
                {
                    var about = $"{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}({Uid})";
                    _with.Events.Warning(pod, Component, "BackOff", $"Back-off restarting failed container {name} in pod {about}", ContainerPath.Of(pod, container));
                    _waiting[name] = new("CrashLoopBackOff", $"back-off {pause} restarting failed container={name} pod={about}");
                }

                return remaining;
            }

            _restarts.Next(name, now);
        }

        var count = history is null ? KnownRestarts(pod, name) : history.RestartCount + 1;
        return await StartAsync(round, container, count, cancellationToken);
    }

    private static int KnownRestarts(V1Pod pod, string name)
    {
        var status = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == name);
        return string.IsNullOrEmpty(status?.ContainerID) ? 0 : status.RestartCount + 1;
    }

    private static bool Restarts(V1Pod pod, V1Container container, ContainerRecord ended)
    {
        var isInit = pod.Spec.InitContainers?.Contains(container) == true;
        var policy = container.RestartPolicy ?? (isInit && pod.Spec.RestartPolicy == "Always" ? "OnFailure" : pod.Spec.RestartPolicy ?? "Always");
        return policy switch
        {
            "Always" => true,
            "OnFailure" => ended.ExitCode != 0 || ended.Error.Length > 0,
            _ => false,
        };
    }

    /// <summary>Creates and starts an instance; returns after which pause to try again when it has to wait, null when it runs or ended.</summary>
    private async Task<TimeSpan?> StartAsync(Round round, V1Container container, int restartCount, CancellationToken cancellationToken)
    {
        var (pod, name, path) = (round.Pod, container.Name, ContainerPath.Of(round.Pod, container));
        var (image, waiting, retry) = await _with.Images.EnsureAsync(pod, container, _pulls, cancellationToken);
        if (image is null)
        {
            _waiting[name] = waiting!;
            return retry;
        }

        string id;
        try
        {
            var environment = await _with.Environment.BuildAsync(pod, container, round.Place, cancellationToken);
            var binds = PodVolumes.Binds(container, round.Volumes, environment, pod);
            var message = _with.Volumes.TerminationLog(pod, container, restartCount);
            var parameters = ContainerSpecification.Container(
                pod, container, _with.Options, round.Sandbox.Id, restartCount, environment,
                [.. binds, $"{message}:{container.TerminationMessagePath ?? "/dev/termination-log"}"], image.User);
            id = await _with.Engine.CreateAsync(parameters, cancellationToken);
        }
        catch (Exception e) when (e is ContainerConfigException or DockerApiException)
        {
            var reason = e is ContainerConfigException ? "CreateContainerConfigError" : "CreateContainerError";
            var message = e is DockerApiException refused ? EngineError.Message(refused) : e.Message;
            _with.Events.Warning(pod, Component, "Failed", $"Error: {message}", path);
            _waiting[name] = new(reason, message);
            return ConfigRetry;
        }

        _with.Events.Normal(pod, Component, "Created", $"Created container: {name}", path);
        _imageIds[id] = image.StatusId;
        try
        {
            await _with.Engine.StartAsync(id, cancellationToken);
        }
        catch (DockerApiException e)
        {
            var message = StartFailure.Describe(EngineError.Message(e));
            _with.Events.Warning(pod, Component, "Failed", $"Error: {message}", path);
            _waiting[name] = new("RunContainerError", message);
            return FailureRetry;
        }

        _with.Events.Normal(pod, Component, "Started", $"Started container {name}", path);
        _waiting.Remove(name);
        if (await _with.Engine.FindAsync(id, cancellationToken) is { Running: true } started)
        {
            Probe(pod, container, started, round.Place.PodAddress);
        }

        // Like a kubelet: of the earlier instances only the last one is kept, for its log.
        foreach (var old in round.All[name].Skip(1))
        {
            await _with.Engine.RemoveAsync(old.Id, cancellationToken);
            _ended.Remove(old.Id);
        }

        return null;
    }

    private ContainerProbes Probe(V1Pod pod, V1Container container, ContainerRecord instance, string address)
    {
        if (!_probes.TryGetValue(instance.Id, out var probes))
        {
            var known = KnownStatus(pod, instance.Id);
            probes = new(_with.Prober, _with.Events, _with.Time, pod, container, instance.Id, address, known, instance.StartedAt ?? Now, Wake);
            _probes[instance.Id] = probes;
            if (container.Lifecycle?.PostStart is { } hook && known is null)
            {
                _postStart[instance.Id] = hook;
                _ = PostStartAsync(pod, container, instance.Id, address, hook);
            }
        }

        return probes;
    }

    private static V1ContainerStatus? KnownStatus(V1Pod pod, string id) => (pod.Status?.ContainerStatuses ?? [])
        .Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(status => status.ContainerID == "docker://" + id);

    /// <summary>
    /// The instances of which something holds: by their probes, and as the API knows it where an earlier agent started them and this one
    /// has yet to probe them. Without that, each start of the daemon would take all pods out of their Services.
    /// None of it holds before the post-start hook has ended.
    /// </summary>
    private HashSet<string> Instances(V1Pod pod, IEnumerable<ContainerRecord> records, Func<ContainerProbes, bool> probed, Func<V1ContainerStatus, bool> recorded) => records
        .Where(record => !_postStart.ContainsKey(record.Id))
        .Where(record => _probes.TryGetValue(record.Id, out var probes) ? probed(probes) : KnownStatus(pod, record.Id) is { } known && recorded(known))
        .Select(record => record.Id).ToHashSet();

    private async Task PostStartAsync(V1Pod pod, V1Container container, string id, string address, V1LifecycleHandler hook)
    {
        try
        {
            if (await _hooks.RunAsync(address, container, id, hook, _stop.Token) is { Length: > 0 } failure)
            {
                _with.Events.Warning(pod, Component, "FailedPostStartHook", $"PostStartHook failed: {failure}", ContainerPath.Of(pod, container));
                await _with.Engine.StopAsync(id, Grace(pod, null), _stop.Token);
            }
        }
        catch (Exception e) when (e is DockerApiException or HttpRequestException or OperationCanceledException)
        {
            _with.Logger.LogDebug(e, "The post-start hook of {Container} was cut off", container.Name);
        }
        finally
        {
            _postStart.TryRemove(id, out _);
            Wake();
        }
    }

    private async Task NoteEndedAsync(V1Pod pod, IReadOnlyList<ContainerRecord> records, CancellationToken cancellationToken)
    {
        foreach (var record in records.Where(record => record.Name != PodLabels.Sandbox && !record.Running && !record.NeverStarted && !_ended.ContainsKey(record.Id)))
        {
            var container = pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(c => c.Name == record.Name);
            _ended[record.Id] = await TerminationState.OfAsync(
                record, container, _with.Volumes.TerminationLog(pod, record.Name, record.RestartCount), _with.Engine, cancellationToken);
            if (_probes.Remove(record.Id, out var probes))
            {
                await probes.DisposeAsync();
            }
        }

        foreach (var record in records.Where(record => record.Name != PodLabels.Sandbox && !_imageIds.ContainsKey(record.Id)))
        {
            var image = await _with.Engine.FindImageAsync(record.ImageId, cancellationToken);
            _imageIds[record.Id] = image?.StatusId ?? record.ImageId;
        }
    }

    private async Task TerminateAsync(V1Pod pod, PodNetwork network, IReadOnlyList<ContainerRecord> records, CancellationToken cancellationToken)
    {
        await StopAllAsync(pod, records, cancellationToken);
        await DropProbesAsync();
        records = await _with.Engine.ListAsync(Uid, cancellationToken);
        await NoteEndedAsync(pod, records, cancellationToken);
        if (!_gone)
        {
            await PublishAsync(_pod, network.Gateway.ToString(), cancellationToken, records, terminated: true);
        }

        foreach (var record in records)
        {
            await _with.Engine.RemoveAsync(record.Id, cancellationToken);
        }

        _with.Volumes.Remove(Uid);
        if (!_gone)
        {
            await _with.Client.DeleteAsync(pod, cancellationToken, gracePeriodSeconds: 0);
        }
    }

    private async Task StopAllAsync(V1Pod pod, IReadOnlyList<ContainerRecord> records, CancellationToken cancellationToken)
    {
        var address = records.FirstOrDefault(record => record.Name == PodLabels.Sandbox && record.Running)?.Address ?? "";
        var grace = Grace(pod, null);
        await Task.WhenAll(records.Where(record => record.Running && record.Name != PodLabels.Sandbox).Select(record =>
        {
            var container = pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(c => c.Name == record.Name);
            if (container is null)
            {
                return _with.Engine.StopAsync(record.Id, grace, cancellationToken);
            }

            _with.Events.Normal(pod, Component, "Killing", $"Stopping container {record.Name}", ContainerPath.Of(pod, container));
            return StopAsync(address, pod, container, record, grace, cancellationToken);
        }));
        foreach (var sandbox in records.Where(record => record.Name == PodLabels.Sandbox))
        {
            await _with.Engine.RemoveAsync(sandbox.Id, cancellationToken);
        }
    }

    private async Task StopAsync(string address, V1Pod pod, V1Container container, ContainerRecord instance, TimeSpan grace, CancellationToken cancellationToken)
    {
        var deadline = Now + grace;
        if (container.Lifecycle?.PreStop is { } hook && grace > TimeSpan.Zero)
        {
            await _hooks.PreStopAsync(address, pod, container, instance, hook, grace, cancellationToken);
        }

        // A kubelet gives the process two seconds even when the hook has used up all of the grace period.
        var left = deadline - Now;
        await _with.Engine.StopAsync(instance.Id, grace == TimeSpan.Zero || left > TimeSpan.FromSeconds(2) ? left : TimeSpan.FromSeconds(2), cancellationToken);
    }

    private async Task<V1PodStatus> PublishAsync(
        V1Pod pod, string host, CancellationToken cancellationToken, IReadOnlyList<ContainerRecord>? records = null, bool terminated = false)
    {
        if (records is null)
        {
            records = await _with.Engine.ListAsync(Uid, cancellationToken);
            await NoteEndedAsync(pod, records, cancellationToken);
        }

        var sandbox = records.FirstOrDefault(record => record.Name == PodLabels.Sandbox && record.Running);
        var status = PodStatusBuilder.Build(pod, new PodObservation
        {
            Sandbox = sandbox,
            Address = pod.Spec.HostNetwork == true ? host : sandbox?.Address ?? "",
            HostAddress = host,
            Containers = records.Where(record => record.Name != PodLabels.Sandbox).ToLookup(record => record.Name),
            Waiting = _waiting,
            Ended = _ended,
            Started = Instances(pod, records, probes => probes.Started, known => known.Started == true),
            Ready = Instances(pod, records, probes => probes.Ready, known => known.Ready),
            ImageIds = _imageIds,
            Evicted = _evicted,
            Terminated = terminated,
        }, Now.UtcDateTime);
        if (MergePatch.Between(pod.Status, status) is not { } patch)
        {
            return status;
        }

        try
        {
            var body = new System.Text.Json.Nodes.JsonObject
            {
                ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["uid"] = Uid },
                ["status"] = patch,
            };
            var written = await _with.Client.PatchAsync<V1Pod>(ObjectKey.Of(pod), body, cancellationToken, "status");
            _pod = written;
            NoticeDeletion();
            _with.Cache.Of<V1Pod>().Observe(written);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // The pod is gone, or another of its name is there; the informer will say so.
            _with.Logger.LogDebug(e, "The status of {Pod} was not written", pod.Metadata.Name);
        }

        return status;
    }

    private async Task DropProbesAsync()
    {
        foreach (var probes in _probes.Values)
        {
            await probes.DisposeAsync();
        }

        _probes.Clear();
    }

    private TimeSpan Grace(V1Pod pod, long? own) =>
        _gone ? TimeSpan.Zero : TimeSpan.FromSeconds(own ?? pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30);

    private static bool IsRefreshed(V1Volume volume) =>
        volume.ConfigMap is not null || volume.Secret is not null || volume.Projected is not null || volume.DownwardAPI is not null;

    private static TimeSpan? Earliest(TimeSpan? one, TimeSpan? other) => one is null ? other : other is null ? one : one < other ? one : other;

    /// <summary>What one round works with.</summary>
    private sealed record Round(
        V1Pod Pod,
        ContainerRecord Sandbox,
        PodPlace Place,
        IReadOnlyDictionary<string, string> Volumes,
        ILookup<string, ContainerRecord> All,
        ILookup<string, ContainerRecord> Current);
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cake.K3s.Sandbox.Node.Pods;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>The Docker engine as the node uses it: only this sandbox's containers, in the node's own terms.</summary>
internal sealed class ContainerEngine(NodeOptions options, ILogger<ContainerEngine> logger) : IDisposable
{
    private const string PauseReference = "cake-k3s/pause:1";
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromSeconds(1);
    private readonly DockerClient _docker = new DockerClientBuilder().WithEndpoint(options.DockerEndpoint).WithTimeout(Timeout.InfiniteTimeSpan).Build();
    private readonly ConcurrentDictionary<string, ContainerRecord> _finished = new();
    private readonly SemaphoreSlim _once = new(1, 1);
    private PodNetwork? _network;

    /// <summary>The engine's own client, for streams.</summary>
    public IDockerClient Client => _docker;

    public void Dispose()
    {
        _docker.Dispose();
        _once.Dispose();
    }

    public Task<SystemInfoResponse> InfoAsync(CancellationToken cancellationToken) => _docker.System.GetSystemInfoAsync(cancellationToken);

    /// <summary>Makes the pause image and the pod network where they are missing; once, later calls give the same answer.</summary>
    public async Task<PodNetwork> PrepareAsync(CancellationToken cancellationToken)
    {
        if (_network is { } known)
        {
            return known;
        }

        await _once.WaitAsync(cancellationToken);
        try
        {
            if (_network is null)
            {
                await EnsurePauseImageAsync(cancellationToken);
                _network = await EnsureNetworkAsync(cancellationToken);
            }

            return _network;
        }
        finally
        {
            _once.Release();
        }
    }

    /// <summary>All containers of a pod, or of every pod, in all states; the newest first.</summary>
    public async Task<IReadOnlyList<ContainerRecord>> ListAsync(string? podUid, CancellationToken cancellationToken)
    {
        var labels = new Dictionary<string, bool> { [$"{PodLabels.Cluster}={options.ClusterId}"] = true };
        if (podUid is not null)
        {
            labels[$"{PodLabels.PodUid}={podUid}"] = true;
        }

        var list = await _docker.Containers.ListContainersAsync(
            new ContainersListParameters { All = true, Filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = labels } },
            cancellationToken);
        var records = await Task.WhenAll(list.Select(item => FindAsync(item.ID, cancellationToken)));
        return [.. records.OfType<ContainerRecord>().OrderByDescending(record => record.CreatedAt)];
    }

    /// <summary>One container; null when it is gone.</summary>
    public async Task<ContainerRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        // What has ended does not change any more.
        if (_finished.TryGetValue(id, out var finished))
        {
            return finished;
        }

        try
        {
            var record = ToRecord(await _docker.Containers.InspectContainerAsync(id, cancellationToken));
            if (record.State is "exited" or "dead")
            {
                _finished[id] = record;
            }

            return record;
        }
        catch (DockerApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<string> CreateAsync(CreateContainerParameters parameters, CancellationToken cancellationToken)
    {
        try
        {
            return (await _docker.Containers.CreateContainerAsync(parameters, cancellationToken)).ID;
        }
        catch (DockerApiException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // A leftover of a node that was killed between two calls.
            await RemoveAsync(parameters.Name!, cancellationToken);
            return (await _docker.Containers.CreateContainerAsync(parameters, cancellationToken)).ID;
        }
    }

    public Task StartAsync(string id, CancellationToken cancellationToken) =>
        _docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), cancellationToken);

    /// <summary>The stop signal, then after the grace period SIGKILL; returns when the container has ended.</summary>
    public async Task StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        try
        {
            if (grace > TimeSpan.Zero)
            {
                await _docker.Containers.StopContainerAsync(
                    id, new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) }, cancellationToken);
                return;
            }

            // The client leaves a zero out of the request, and the engine would wait its ten seconds.
            await _docker.Containers.KillContainerAsync(id, new ContainerKillParameters { Signal = "KILL" }, cancellationToken);
            await _docker.Containers.WaitContainerAsync(id, cancellationToken);
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.NotModified or HttpStatusCode.Conflict)
        {
            // It ended by itself.
        }
    }

    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await _docker.Containers.RemoveContainerAsync(id, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, cancellationToken);
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone, or another request is removing it.
        }

        _finished.TryRemove(id, out _);
    }

    /// <summary>The image in the store; null when it is not there.</summary>
    public async Task<ImageRecord?> FindImageAsync(string image, CancellationToken cancellationToken)
    {
        try
        {
            var found = await _docker.Images.InspectImageAsync(image, cancellationToken);
            return new(found.ID, [.. found.RepoDigests ?? []], found.Config?.User ?? "", found.Size);
        }
        catch (DockerApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <exception cref="ImagePullException">The registry or the engine refused.</exception>
    public async Task PullAsync(string image, AuthConfig? credentials, CancellationToken cancellationToken)
    {
        var errors = new ConcurrentQueue<string>();
        try
        {
            await _docker.Images.CreateImageAsync(
                new ImagesCreateParameters { FromImage = PullFailure.Normalize(image) },
                credentials ?? new AuthConfig(),
                new Observer<JSONMessage>(message =>
                {
                    if (message.Error is { } error)
                    {
                        errors.Enqueue(error.Message ?? "");
                    }
                }),
                cancellationToken);
        }
        catch (DockerApiException e)
        {
            errors.Enqueue(EngineError.Message(e));
        }

        if (errors.TryDequeue(out var first))
        {
            throw new ImagePullException(PullFailure.Describe(image, first));
        }
    }

    /// <summary>Runs a command to its end and gives its exit code and output.</summary>
    public async Task<(int ExitCode, string Output)> ExecAsync(string id, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var exec = await _docker.Exec.CreateContainerExecAsync(
            id, new ContainerExecCreateParameters { AttachStdout = true, AttachStderr = true, Cmd = [.. command] }, cancellationToken);
        using var stream = await _docker.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), cancellationToken);
        var (output, error) = await stream.ReadOutputToEndAsync(cancellationToken);
        var result = await _docker.Exec.InspectContainerExecAsync(exec.ID, cancellationToken);
        return ((int)(result.ExitCode ?? 0), output + error);
    }

    /// <summary>The last lines of a container's output, both streams.</summary>
    public async Task<string> TailAsync(string id, int lines, CancellationToken cancellationToken)
    {
        using var stream = await _docker.Containers.GetContainerLogsAsync(
            id, new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = lines.ToString(CultureInfo.InvariantCulture) }, cancellationToken);
        var (output, error) = await stream.ReadOutputToEndAsync(cancellationToken);
        return output + error;
    }

    /// <summary>Reports the pod uid of each container that starts or ends, and null when events may have been missed.</summary>
    public async Task WatchAsync(Action<string?> changed, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var filters = new Dictionary<string, IDictionary<string, bool>>
                {
                    ["type"] = new Dictionary<string, bool> { ["container"] = true },
                    ["event"] = new Dictionary<string, bool> { ["die"] = true, ["start"] = true, ["destroy"] = true },
                    ["label"] = new Dictionary<string, bool> { [$"{PodLabels.Cluster}={options.ClusterId}"] = true },
                };
                var watch = _docker.System.MonitorEventsAsync(
                    new ContainerEventsParameters { Filters = filters },
                    new Observer<Message>(message => changed(message.Actor?.Attributes?.TryGetValue(PodLabels.PodUid, out var uid) == true ? uid : null)),
                    cancellationToken);
                changed(null);
                await watch;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TimeoutException or DockerApiException or OperationCanceledException)
            {
                logger.LogDebug(e, "The engine's events were cut");
            }

            await Task.Delay(ReconnectPause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The parameters of the container that holds a pod's network.</summary>
    public static string PauseImageName => PauseReference;

    private async Task EnsurePauseImageAsync(CancellationToken cancellationToken)
    {
        if (await FindImageAsync(PauseReference, cancellationToken) is not null)
        {
            return;
        }

        var info = await InfoAsync(cancellationToken);
        await using var files = await PauseImage.RootFileSystemAsync(info.Architecture, cancellationToken);
        var name = PauseReference.Split(':');
        await _docker.Images.CreateImageAsync(
            new ImagesCreateParameters { FromSrc = "-", Repo = name[0], Tag = name[1] }, files, null, new Observer<JSONMessage>(_ => { }), cancellationToken);
    }

    private async Task<PodNetwork> EnsureNetworkAsync(CancellationToken cancellationToken)
    {
        NetworkResponse network;
        try
        {
            network = await _docker.Networks.InspectNetworkAsync(options.DockerNetwork, cancellationToken);
        }
        catch (DockerApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            await _docker.Networks.CreateNetworkAsync(
                new NetworksCreateParameters
                {
                    Name = options.DockerNetwork,
                    Driver = "bridge",
                    Labels = new Dictionary<string, string> { [PodLabels.Cluster] = options.ClusterId },
                    IPAM = options.PodSubnet is null ? null : new IPAM { Config = [new IPAMConfig { Subnet = options.PodSubnet }] },
                },
                cancellationToken);
            network = await _docker.Networks.InspectNetworkAsync(options.DockerNetwork, cancellationToken);
        }

        var address = network.IPAM.Config.First(config => !config.Subnet.Contains(':', StringComparison.Ordinal));
        var subnet = IPNetwork.Parse(address.Subnet);
        var gateway = string.IsNullOrEmpty(address.Gateway) ? FirstHost(subnet) : IPAddress.Parse(address.Gateway);
        return new(options.DockerNetwork, subnet, gateway);
    }

    private static IPAddress FirstHost(IPNetwork subnet)
    {
        var bytes = subnet.BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new(bytes);
    }

    private ContainerRecord ToRecord(ContainerInspectResponse found) => new()
    {
        Id = found.ID,
        Labels = found.Config?.Labels?.ToDictionary() ?? [],
        State = found.State?.Status ?? "",
        CreatedAt = new DateTimeOffset(DateTime.SpecifyKind(found.Created, DateTimeKind.Utc)),
        StartedAt = ToTime(found.State!.StartedAt),
        FinishedAt = ToTime(found.State!.FinishedAt),
        ExitCode = (int)found.State!.ExitCode,
        OutOfMemory = found.State!.OOMKilled,
        Error = found.State!.Error ?? "",
        ImageId = found.Image,
        ProcessId = found.State!.Pid,
        Address = found.NetworkSettings?.Networks?.TryGetValue(options.DockerNetwork, out var endpoint) == true ? endpoint.IPAddress ?? "" : "",
    };

    private static DateTimeOffset? ToTime(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.Year > 1 ? time : null;
}

/// <summary>The bridge that pods are on.</summary>
internal sealed record PodNetwork(string Name, IPNetwork Subnet, IPAddress Gateway);

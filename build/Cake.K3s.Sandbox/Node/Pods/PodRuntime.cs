using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Cake.K3s.Sandbox.ApiServer.Pods;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Engine;
using Docker.DotNet;
using Docker.DotNet.Models;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Logs, exec, attach and port-forward, straight from the engine.</summary>
internal sealed class PodRuntime(ContainerEngine engine, ClusterCache cache, ILogger<PodRuntime> logger) : IPodRuntime
{
    public async Task<Stream> OpenLogsAsync(ContainerLogRequest request, CancellationToken cancellationToken)
    {
        var instances = await InstancesAsync(request.Pod, request.Container, cancellationToken);
        var instance = instances.Skip(request.Previous ? 1 : 0).FirstOrDefault();
        if (instance is null)
        {
            throw request.Previous
                ? new PodRuntimeException(StatusCodes.Status400BadRequest, $"previous terminated container \"{request.Container}\" in pod \"{request.Pod.Name}\" not found")
                : new PodRuntimeException(StatusCodes.Status400BadRequest, $"container \"{request.Container}\" in pod \"{request.Pod.Name}\" is waiting to start: {WhyWaiting(request)}");
        }

        var source = await engine.Client.Containers.GetContainerLogsAsync(
            instance.Id,
            new ContainerLogsParameters
            {
                ShowStdout = true,
                ShowStderr = true,
                Follow = request.Follow,
                Timestamps = request.Timestamps,
                Tail = request.TailLines?.ToString(CultureInfo.InvariantCulture) ?? "all",
                Since = request.Since is { } since ? string.Create(CultureInfo.InvariantCulture, $"{since.ToUnixTimeSeconds()}.{since.Ticks % TimeSpan.TicksPerSecond * 100:000000000}") : null!,
            },
            cancellationToken);
        var pipe = new Pipe();
        _ = PumpLogsAsync(source, pipe.Writer, request.LimitBytes, cancellationToken);
        return pipe.Reader.AsStream();
    }

    public async Task<IContainerSession> ExecAsync(ContainerExecRequest request, CancellationToken cancellationToken)
    {
        var instance = await RunningAsync(request.Pod, request.Container, cancellationToken);
        var exec = await engine.Client.Exec.CreateContainerExecAsync(
            instance.Id,
            new ContainerExecCreateParameters
            {
                Cmd = [.. request.Command],
                AttachStdin = request.Stdin,
                AttachStdout = request.Stdout || request.Tty,
                AttachStderr = request.Stderr && !request.Tty,
                TTY = request.Tty,
            },
            cancellationToken);
        MultiplexedStream stream;
        try
        {
            stream = await engine.Client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters { TTY = request.Tty }, cancellationToken);
        }
        catch (DockerApiException e)
        {
            throw new PodRuntimeException(StatusCodes.Status500InternalServerError, $"error executing command in container: {EngineError.Message(e)}");
        }

        return new ContainerSession(
            stream,
            request.Stdin,
            request.Stdout || request.Tty,
            request.Stderr && !request.Tty,
            (width, height, token) => engine.Client.Exec.ResizeExecTtyAsync(exec.ID, new ContainerResizeParameters { Width = width, Height = height }, token),
            async token => (int)((await engine.Client.Exec.InspectContainerExecAsync(exec.ID, token)).ExitCode ?? 0));
    }

    public async Task<IContainerSession> AttachAsync(ContainerAttachRequest request, CancellationToken cancellationToken)
    {
        var instance = await RunningAsync(request.Pod, request.Container, cancellationToken);
        var stream = await engine.Client.Containers.AttachContainerAsync(
            instance.Id,
            new ContainerAttachParameters { Stream = true, Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr && !request.Tty },
            cancellationToken);
        return new ContainerSession(
            stream,
            request.Stdin,
            request.Stdout,
            request.Stderr && !request.Tty,
            (width, height, token) => engine.Client.Containers.ResizeContainerTtyAsync(instance.Id, new ContainerResizeParameters { Width = width, Height = height }, token),
            _ => Task.FromResult(0));
    }

    public async Task<Stream> ConnectAsync(PodReference pod, int port, CancellationToken cancellationToken)
    {
        var sandbox = (await InstancesAsync(pod, PodLabels.Sandbox, cancellationToken)).FirstOrDefault(record => record.Running)
            ?? throw new PodRuntimeException(StatusCodes.Status500InternalServerError, $"pod not found (\"{pod.Name}_{pod.Namespace}\")");
        try
        {
            var process = (await engine.Client.Containers.InspectContainerAsync(sandbox.Id, cancellationToken)).State?.Pid ?? 0;
            var socket = PodLoopback.IsReachable((int)process)
                ? await PodLoopback.ConnectAsync((int)process, port)
                : await ConnectAsync(sandbox.Address, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            throw new PodRuntimeException(StatusCodes.Status500InternalServerError, $"failed to connect to localhost:{port} inside namespace of pod \"{pod.Name}\": {e.Message}");
        }
    }

    private static async Task<Socket> ConnectAsync(string address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, port, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private string WhyWaiting(ContainerLogRequest request)
    {
        var status = cache.Of<V1Pod>().Find(new(request.Pod.Namespace, request.Pod.Name))?.Status;
        var container = (status?.ContainerStatuses ?? []).Concat(status?.InitContainerStatuses ?? []).FirstOrDefault(c => c.Name == request.Container);
        return container?.State?.Waiting?.Reason switch
        {
            "ImagePullBackOff" => "trying and failing to pull image",
            "ErrImagePull" => "image can't be pulled",
            null => "ContainerCreating",
            var reason => reason,
        };
    }

    private async Task<List<ContainerRecord>> InstancesAsync(PodReference pod, string container, CancellationToken cancellationToken) =>
        [.. (await engine.ListAsync(pod.Uid, cancellationToken)).Where(record => record.Name == container && !record.NeverStarted)];

    private async Task<ContainerRecord> RunningAsync(PodReference pod, string container, CancellationToken cancellationToken) =>
        (await InstancesAsync(pod, container, cancellationToken)).FirstOrDefault(record => record.Running)
            ?? throw new PodRuntimeException(StatusCodes.Status400BadRequest, $"container {container} is not running in pod {pod.Name}");

    private async Task PumpLogsAsync(MultiplexedStream source, PipeWriter writer, long? limit, CancellationToken cancellationToken)
    {
        try
        {
            using (source)
            {
                await using var target = writer.AsStream(leaveOpen: true);
                await ContainerStreams.CopyAsync(source, target, target, cancellationToken, limit);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            logger.LogDebug(e, "A log stream was cut");
        }
        finally
        {
            await writer.CompleteAsync();
        }
    }
}

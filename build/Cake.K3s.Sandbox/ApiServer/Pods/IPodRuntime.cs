namespace Cake.K3s.Sandbox.ApiServer.Pods;

/// <summary>What the API server asks of the node that runs a pod: the part of a kubelet's own API that clients see.</summary>
/// <remarks>
/// Register one implementation as a singleton; without one, the subresources answer as a cluster whose nodes are unreachable.
/// The server has checked before each call that the pod exists and that it has the container. What a member cannot do it
/// says with a <see cref="PodRuntimeException"/>.
/// </remarks>
internal interface IPodRuntime
{
    /// <summary>Opens the log of a container; the stream ends where the log ends, or, when following, where the container does.</summary>
    Task<Stream> OpenLogsAsync(ContainerLogRequest request, CancellationToken cancellationToken);

    /// <summary>Starts a command in a running container.</summary>
    Task<IContainerSession> ExecAsync(ContainerExecRequest request, CancellationToken cancellationToken);

    /// <summary>Connects to the streams of a container's main process.</summary>
    Task<IContainerSession> AttachAsync(ContainerAttachRequest request, CancellationToken cancellationToken);

    /// <summary>Connects to a TCP port in the pod's network; the stream reads and writes.</summary>
    Task<Stream> ConnectAsync(PodReference pod, int port, CancellationToken cancellationToken);
}

/// <summary>A pod as clients name it, and the <paramref name="Uid"/> that tells it from an earlier one of the same name.</summary>
internal sealed record PodReference(string Namespace, string Name, string Uid);

/// <summary>Which part of which container's log.</summary>
/// <param name="Pod">The pod.</param>
/// <param name="Container">The container: init, main or ephemeral.</param>
/// <param name="Follow">Stay until the container ends.</param>
/// <param name="Previous">The log of the instance before the present one.</param>
/// <param name="Timestamps">Each line starts with its RFC 3339 time in UTC and a space.</param>
/// <param name="TailLines">Only the last so many lines; null is all.</param>
/// <param name="LimitBytes">End after so many bytes; null is no limit.</param>
/// <param name="Since">Only lines from this time on; null is all.</param>
internal sealed record ContainerLogRequest(
    PodReference Pod,
    string Container,
    bool Follow = false,
    bool Previous = false,
    bool Timestamps = false,
    long? TailLines = null,
    long? LimitBytes = null,
    DateTimeOffset? Since = null);

/// <summary>A command to run in a container, and which of its streams the client wants.</summary>
internal sealed record ContainerExecRequest(
    PodReference Pod,
    string Container,
    IReadOnlyList<string> Command,
    bool Stdin,
    bool Stdout,
    bool Stderr,
    bool Tty);

/// <summary>Which streams of a container's main process the client wants.</summary>
internal sealed record ContainerAttachRequest(PodReference Pod, string Container, bool Stdin, bool Stdout, bool Stderr, bool Tty);

/// <summary>A process in a container with its streams. Disposing closes the streams; it need not end the process.</summary>
internal interface IContainerSession : IAsyncDisposable
{
    /// <summary>Written to by the client; disposed when the client closes its end. Null when not asked for.</summary>
    Stream? StandardInput { get; }

    /// <summary>Read until its end. Null when not asked for. With a terminal it carries both outputs.</summary>
    Stream? StandardOutput { get; }

    /// <summary>Read until its end. Null when not asked for, or with a terminal.</summary>
    Stream? StandardError { get; }

    /// <summary>Sets the size of the terminal, in characters. Does nothing without one.</summary>
    Task ResizeAsync(int width, int height, CancellationToken cancellationToken);

    /// <summary>Waits for the end of the process and gives its exit code. For an attach: 0 when the container ended.</summary>
    Task<int> WaitAsync(CancellationToken cancellationToken);
}

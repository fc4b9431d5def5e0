using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>Connects to a server as the pod itself would: over the loopback inside its network namespace, where a server may listen only there.</summary>
internal static class PodLoopback
{
    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET

    /// <summary>Whether that is possible: the engine is on this machine, and this process may enter namespaces.</summary>
    /// <param name="process">A process of the pod.</param>
    public static bool IsReachable(int process) => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && process > 0 && File.Exists(PathOf(process));

    /// <exception cref="SocketException">Nothing listens there.</exception>
    public static Task<Socket> ConnectAsync(int process, int port)
    {
        var connected = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);

        // A thread of its own that ends afterwards: a namespace belongs to the thread that entered it. A socket keeps that of its birth.
        new Thread(() => Connect(process, port, connected)) { IsBackground = true, Name = $"port-forward {port}" }.Start();
        return connected.Task;
    }

    private static void Connect(int process, int port, TaskCompletionSource<Socket> connected)
    {
        Socket? socket = null;
        try
        {
            using (var handle = File.OpenHandle(PathOf(process)))
            {
                if (SetNamespace((int)handle.DangerousGetHandle(), NetworkNamespace) != 0)
                {
                    throw new SocketException(Marshal.GetLastPInvokeError(), "the pod's network namespace cannot be entered");
                }
            }

            socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(IPAddress.Loopback, port);
            connected.SetResult(socket);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            socket?.Dispose();
            connected.SetException(exception as SocketException ?? new SocketException((int)SocketError.HostUnreachable, exception.Message));
        }
    }

    private static string PathOf(int process) => $"/proc/{process}/ns/net";

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int descriptor, int kind);
}

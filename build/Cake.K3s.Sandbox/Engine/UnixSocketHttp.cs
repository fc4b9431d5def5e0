using System.Net.Sockets;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>HTTP over a Unix socket: how a Docker engine and the sandbox's daemon are talked to.</summary>
internal static class UnixSocketHttp
{
    /// <summary>A client whose every request goes to that socket, whatever host it names.</summary>
    public static HttpClient Client(string socketPath, TimeSpan timeout) => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        })
    {
        BaseAddress = new Uri("http://localhost"),
        Timeout = timeout,
    };
}

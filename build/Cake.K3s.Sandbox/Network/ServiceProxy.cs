using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Network.Policies;
using Cake.K3s.Sandbox.Node;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network;

/// <summary>
/// Gives Services their addresses: listens on each cluster IP and port that has endpoints and passes connections and datagrams on. A
/// connection whose endpoint does not answer goes to the next, so that a pod that is going away costs none.
/// </summary>
internal sealed class ServiceProxy : BackgroundService
{
    private const int Backlog = 512;
    private const string Tcp = "TCP";
    private const string Udp = "UDP";
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>As nf_conntrack_udp_timeout_stream, 120 s.</summary>
    private static readonly TimeSpan SilentClient = TimeSpan.FromMinutes(2);
    private readonly NodeOptions _options;
    private readonly ClusterCache _cache;
    private readonly Informer<V1Service> _services;
    private readonly ServiceEndpoints _endpoints;
    private readonly PolicyEnforcer _policies;
    private readonly ILogger<ServiceProxy> _logger;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<Address, (Target Target, IDisposable Listener)> _listeners = [];
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly HashSet<Address> _refused = [];
    private uint _turn;

    public ServiceProxy(NodeOptions options, ClusterCache cache, ServiceEndpoints endpoints, PolicyEnforcer policies, ILogger<ServiceProxy> logger)
    {
        (_options, _cache, _endpoints, _policies, _logger) = (options, cache, endpoints, policies, logger);
        _services = cache.Of<V1Service>();
        _services.Changed += (_, _) => _wake.Writer.TryWrite(true);
        cache.Of<V1EndpointSlice>().Changed += (_, _) => _wake.Writer.TryWrite(true);
        cache.Of<V1Endpoints>().Changed += (_, _) => _wake.Writer.TryWrite(true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!TryAddRoute())
        {
            return;
        }

        try
        {
            await _cache.SyncedAsync(stoppingToken);
            _wake.Writer.TryWrite(true);
            while (true)
            {
                await _wake.Reader.ReadAsync(stoppingToken);
                Reconcile(stoppingToken);
            }
        }
        finally
        {
            foreach (var (_, listener) in _listeners.Values)
            {
                listener.Dispose();
            }

            foreach (var socket in _open.Keys)
            {
                socket.Dispose();
            }

            LocalRoute.Remove(_options.ServiceSubnet);
        }
    }

    private bool TryAddRoute()
    {
        try
        {
            LocalRoute.Add(_options.ServiceSubnet);
            return true;
        }
        catch (K3sException e)
        {
            // Pods run all the same, and reach each other by IP.
            _logger.LogError("{Message} {NextStep}", e.Summary, e.NextStep);
            return false;
        }
    }

    private void Reconcile(CancellationToken cancellationToken)
    {
        var wanted = Wanted();
        foreach (var (address, (target, listener)) in _listeners.ToList())
        {
            if (!wanted.TryGetValue(address, out var now) || now != target)
            {
                listener.Dispose();
                _listeners.Remove(address);
            }
        }

        foreach (var (address, target) in wanted.Where(pair => !_listeners.ContainsKey(pair.Key)))
        {
            try
            {
                _listeners[address] = (target, address.Protocol == Udp ? Relay(address.EndPoint, target, cancellationToken) : Listen(address.EndPoint, target, cancellationToken));
                _refused.Remove(address);
            }
            catch (SocketException e)
            {
                if (_refused.Add(address))
                {
                    _logger.LogWarning("Service {Service} cannot listen on {Address}: {Reason}", target.Service, address, e.Message);
                }

                _ = RetryAsync(cancellationToken);
            }
        }
    }

    private Socket Listen(IPEndPoint address, Target target, CancellationToken cancellationToken)
    {
        var listener = Bound(address, SocketType.Stream, ProtocolType.Tcp);
        listener.Listen(Backlog);
        _ = AcceptAsync(listener, target, cancellationToken);
        return listener;
    }

    private DatagramRelay Relay(IPEndPoint address, Target target, CancellationToken cancellationToken)
    {
        var relay = new DatagramRelay(Bound(address, SocketType.Dgram, ProtocolType.Udp), client => Endpoints(client.Address, target, Udp).FirstOrDefault(), SilentClient);
        _ = relay.RunAsync(cancellationToken);
        return relay;
    }

    private static Socket Bound(IPEndPoint address, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task RetryAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Retry, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _wake.Writer.TryWrite(true);
    }

    /// <summary>The addresses to listen on. A port without endpoints is not among them, so that it refuses connections, as in a cluster.</summary>
    private Dictionary<Address, Target> Wanted()
    {
        var result = new Dictionary<Address, Target>();
        foreach (var service in _services.Items.Where(s => s.Metadata.DeletionTimestamp is null && IPAddress.TryParse(s.Spec.ClusterIP, out _)))
        {
            foreach (var port in (service.Spec.Ports ?? []).Where(port => (port.Protocol ?? Tcp) is Tcp or Udp))
            {
                var target = new Target(ObjectKey.Of(service), port.Name ?? "");
                if (_endpoints.Of(target.Service, target.Port).Count == 0)
                {
                    continue;
                }

                result[new(new(IPAddress.Parse(service.Spec.ClusterIP), port.Port), port.Protocol ?? Tcp)] = target;
                if (port.NodePort is > 0)
                {
                    result[new(new(IPAddress.Loopback, port.NodePort.Value), port.Protocol ?? Tcp)] = target;
                }
            }
        }

        return result;
    }

    private async Task AcceptAsync(Socket listener, Target target, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(cancellationToken);
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException e)
            {
                _logger.LogDebug(e, "A connection to {Service} was not accepted", target.Service);
                continue;
            }

            _ = ServeAsync(client, target, cancellationToken);
        }
    }

    private async Task ServeAsync(Socket client, Target target, CancellationToken cancellationToken)
    {
        _open[client] = 0;
        try
        {
            client.NoDelay = true;
            using var server = await ConnectAsync(client, target, cancellationToken);
            if (server is null)
            {
                client.LingerState = new LingerOption(true, 0);
                return;
            }

            _open[server] = 0;
            try
            {
                await Task.WhenAll(PumpAsync(client, server, cancellationToken), PumpAsync(server, client, cancellationToken));
            }
            finally
            {
                _open.TryRemove(server, out _);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has cut the connection: the other one sees that too.
            _logger.LogTrace(e, "A connection to {Service} was cut", target.Service);
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task<Socket?> ConnectAsync(Socket client, Target target, CancellationToken cancellationToken)
    {
        var from = (client.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        foreach (var endpoint in Endpoints(from, target, Tcp))
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(ConnectTimeout);
            try
            {
                await socket.ConnectAsync(endpoint, timeout.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        return null;
    }

    /// <summary>The endpoints that a client may reach, beginning with the one whose turn it is.</summary>
    private IEnumerable<IPEndPoint> Endpoints(IPAddress client, Target target, string protocol)
    {
        var endpoints = _endpoints.Of(target.Service, target.Port).Where(endpoint => _policies.Allows(client, endpoint, protocol)).ToList();
        var first = Interlocked.Increment(ref _turn);
        return Enumerable.Range(0, endpoints.Count).Select(i => endpoints[(int)((first + i) % endpoints.Count)]);
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, cancellationToken)) > 0)
            {
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), cancellationToken);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // A reset is passed on as one.
            from.LingerState = new LingerOption(true, 0);
            to.LingerState = new LingerOption(true, 0);
            from.Close();
            to.Close();
            throw;
        }
    }

    private sealed record Target(ObjectKey Service, string Port);

    private sealed record Address(IPEndPoint EndPoint, string Protocol)
    {
        public override string ToString() => $"{EndPoint}/{Protocol}";
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node;

namespace Cake.K3s.Sandbox.Network;

/// <summary>The cluster's DNS: answers for the cluster's domain, and passes everything else on to the machine's own resolvers.</summary>
internal sealed class DnsServer(NodeOptions options, ClusterCache cache, ClusterZone zone, ILogger<DnsServer> logger) : BackgroundService
{
    private const int Port = 53;
    private const int LongestMessage = 4096;
    private static readonly TimeSpan ResolverTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await cache.SyncedAsync(stoppingToken);
        while (true)
        {
            // The address is this machine's once the service proxy has added its route.
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                udp.Bind(new IPEndPoint(options.DnsAddress, Port));
                tcp.Bind(new IPEndPoint(options.DnsAddress, Port));
                tcp.Listen();
                await Task.WhenAll(ServeDatagramsAsync(udp, stoppingToken), ServeStreamsAsync(tcp, stoppingToken));
            }
            catch (SocketException e)
            {
                logger.LogDebug(e, "The cluster DNS cannot listen on {Address} yet", options.DnsAddress);
            }

            await Task.Delay(Retry, stoppingToken);
        }
    }

    private async Task ServeDatagramsAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestMessage];
        while (true)
        {
            var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
            var query = buffer[..received.ReceivedBytes];
            _ = ReplyAsync();

            async Task ReplyAsync()
            {
                try
                {
                    if (await AnswerAsync(query, cancellationToken) is { } answer)
                    {
                        await socket.SendToAsync(answer, SocketFlags.None, received.RemoteEndPoint, cancellationToken);
                    }
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
                {
                    logger.LogDebug(e, "A DNS query stays without an answer");
                }
            }
        }
    }

    private async Task ServeStreamsAsync(Socket listener, CancellationToken cancellationToken)
    {
        while (true)
        {
            var client = await listener.AcceptAsync(cancellationToken);
            _ = ServeAsync(client);
        }

        async Task ServeAsync(Socket client)
        {
            try
            {
                await using var stream = new NetworkStream(client, ownsSocket: true);
                var length = new byte[2];
                while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, cancellationToken) == 2)
                {
                    var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                    await stream.ReadExactlyAsync(query, cancellationToken);
                    if (await AnswerAsync(query, cancellationToken) is not { } answer)
                    {
                        return;
                    }

                    BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                    await stream.WriteAsync((byte[])[.. length, .. answer], cancellationToken);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                logger.LogDebug(e, "A DNS connection was cut");
            }
        }
    }

    private async Task<byte[]?> AnswerAsync(byte[] query, CancellationToken cancellationToken)
    {
        if (DnsQuestion.Read(query) is not { } question)
        {
            return null;
        }

        if (!zone.Holds(question.Name))
        {
            return await ForwardAsync(query, cancellationToken) ?? DnsAnswer.Write(question, DnsAnswer.ServerFailure, []);
        }

        var records = zone.Find(question.Name, question.Type);
        return DnsAnswer.Write(question, records is null ? DnsAnswer.NoSuchName : DnsAnswer.NoError, records ?? []);
    }

    private static async Task<byte[]?> ForwardAsync(byte[] query, CancellationToken cancellationToken)
    {
        foreach (var resolver in Resolvers())
        {
            using var socket = new Socket(resolver.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(ResolverTimeout);
            try
            {
                await socket.ConnectAsync(resolver, Port, timeout.Token);
                await socket.SendAsync(query, timeout.Token);
                var buffer = new byte[LongestMessage];
                return buffer[..await socket.ReceiveAsync(buffer, timeout.Token)];
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The next resolver is asked.
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        return null;
    }

    private static IEnumerable<IPAddress> Resolvers() => NetworkDevices.All()
        .SelectMany(network => network.GetIPProperties().DnsAddresses).Distinct();
}

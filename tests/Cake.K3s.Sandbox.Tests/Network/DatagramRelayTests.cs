using System.Net;
using System.Net.Sockets;
using System.Text;
using Cake.K3s.Sandbox.Network;

namespace Cake.K3s.Sandbox.Tests.Network;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class DatagramRelayTests
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private readonly List<UdpClient> _endpoints = [];
    private Socket _listener = null!;
    private DatagramRelay _relay = null!;
    private Task _running = null!;

    [SetUp]
    public void Start()
    {
        _endpoints.AddRange([Endpoint(), Endpoint()]);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var addresses = new Queue<IPEndPoint>(_endpoints.Select(endpoint => (IPEndPoint)endpoint.Client.LocalEndPoint!));
        _relay = new DatagramRelay(_listener, _ => addresses.TryDequeue(out var next) ? next : null, TimeSpan.FromMinutes(1));
        _running = _relay.RunAsync(_limit.Token);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _relay.Dispose();
        await _running;
        _endpoints.ForEach(endpoint => endpoint.Dispose());
        _limit.Dispose();
    }

    [Test]
    public async Task Should_carry_datagrams_there_and_back_When_clients_keep_to_their_endpoints()
    {
        using var first = Client();
        using var second = Client();

        Assert.That(await AskAsync(first, "a", _endpoints[0]), Is.EqualTo("A"));
        Assert.That(await AskAsync(second, "b", _endpoints[1]), Is.EqualTo("B"));
        Assert.That(await AskAsync(first, "c", _endpoints[0]), Is.EqualTo("C"));
    }

    [Test]
    public async Task Should_go_on_When_an_endpoint_refuses()
    {
        using var first = Client();
        using var second = Client();
        _endpoints[0].Dispose();
        await first.SendAsync("lost"u8.ToArray(), _limit.Token);

        Assert.That(await AskAsync(second, "b", _endpoints[1]), Is.EqualTo("B"));
    }

    private static UdpClient Endpoint() => new(new IPEndPoint(IPAddress.Loopback, 0));

    private UdpClient Client()
    {
        var client = new UdpClient();
        client.Connect((IPEndPoint)_listener.LocalEndPoint!);
        return client;
    }

    /// <summary>Sends a text, has the endpoint answer it in capital letters, and gives back what the client gets.</summary>
    private async Task<string> AskAsync(UdpClient client, string text, UdpClient endpoint)
    {
        await client.SendAsync(Encoding.UTF8.GetBytes(text), _limit.Token);
        var asked = await endpoint.ReceiveAsync(_limit.Token);
        await endpoint.SendAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(asked.Buffer).ToUpperInvariant()), asked.RemoteEndPoint, _limit.Token);
        return Encoding.UTF8.GetString((await client.ReceiveAsync(_limit.Token)).Buffer);
    }
}

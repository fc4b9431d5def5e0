using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cake.K3s.Tests.Notifications;

/// <summary>Stands in for a mail server: takes one message over a connection without TLS (RFC 5321) and keeps it.</summary>
internal sealed class SmtpServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task<string> _serving;

    public SmtpServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What was said, without what it answered.</summary>
    public Task<string> Received => _serving.WaitAsync(TimeSpan.FromSeconds(10));

    public void Dispose() => _listener.Dispose();

    private async Task<string> ServeAsync()
    {
        using var client = await _listener.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\r\n" };
        await writer.WriteLineAsync("220 stand-in");
        var received = new StringBuilder();
        var isData = false;
        while (await reader.ReadLineAsync() is { } line)
        {
            received.AppendLine(line);
            if (isData)
            {
                isData = line != ".";
                await writer.WriteAsync(isData ? "" : "250 kept\r\n");
                continue;
            }

            isData = line == "DATA";
            await writer.WriteLineAsync(line.Split(' ')[0] switch { "EHLO" => "250 stand-in", "DATA" => "354 go on", "QUIT" => "221 bye", _ => "250 ok" });
            if (line == "QUIT")
            {
                break;
            }
        }

        return received.ToString();
    }
}

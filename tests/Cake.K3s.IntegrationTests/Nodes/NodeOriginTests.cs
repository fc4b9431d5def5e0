using Cake.K3s.Hardening.Edge.OriginTls;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>A node's own port 443, asked through SSH; openssl answers there in Traefik's place.</summary>
internal sealed class NodeOriginTests
{
    private const string Host = "shop.example.com";

    [Test]
    public async Task Should_see_what_the_node_shows_and_whom_it_refuses()
    {
        var machine = await SharedBed.Bed.AddNodeAsync();
        File.Copy(Path.Combine(await ExternalTools.UnpackedAsync(DebianRelease.Host, "openssl"), "usr/bin/openssl"), machine.PathOf("/usr/bin/openssl"));
        var (server, cloudflare, stranger) = (Pair("server"), Pair("Cloudflare"), Pair("stranger"));
        File.WriteAllText(machine.PathOf("/root/server.pem"), server.Certificate + "\n" + server.Key + "\n");
        File.WriteAllText(machine.PathOf("/root/authority.pem"), cloudflare.Authority);
        using var someone = new Operator([machine]);
        var origin = new NodeOrigin(someone.Fleet.Nodes.Single());

        Assert.That((await origin.AskAsync(Host, null, default)).Detail, Does.Contain("Connection refused"));

        await ServeAsync("");
        var open = await origin.AskAsync(Host, null, default);
        Assert.That((open.IsAccepted, server.Is(open.Certificate)), Is.EqualTo((true, true)), open.Detail);

        await ServeAsync("-Verify 1 -verify_return_error -CAfile /root/authority.pem");
        Assert.That((await origin.AskAsync(Host, cloudflare, default)).IsAccepted, Is.True);
        foreach (var client in new[] { stranger, null })
        {
            var refusal = await origin.AskAsync(Host, client, default);
            Assert.That(refusal.IsAccepted, Is.False);
            Assert.That(refusal.Detail, Does.Contain("alert"));
        }

        Assert.That(await machine.RunAsync("ls -A /tmp | grep -c '^tmp\\.' || true"), Is.EqualTo("0"), "no key is left there");

        Task ServeAsync(string options) => machine.RunAsync($"""
            systemctl stop origin 2>/dev/null
            systemd-run --quiet --collect --unit=origin openssl s_server -quiet -accept 443 -cert /root/server.pem -key /root/server.pem {options}
            until ss -ltn | grep -q ':443 '; do systemctl is-active --quiet origin || exit 1; sleep 0.1; done
            """);
    }

    private static KeyPair Pair(string name) => KeyPair.NewClient(name, DateTimeOffset.UtcNow, 1);
}

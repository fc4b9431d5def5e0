using Cake.K3s.Hardening.Edge.OriginTls;

namespace Cake.K3s.Tests.Hardening.Edge;

/// <summary>What a node's openssl says, as OpenSSL 3.0 prints it.</summary>
public sealed class NodeOriginTests
{
    private const string Certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

    [Test]
    public void Should_ReadTheCertificate_When_TheHandshakeEnds()
    {
        var answer = NodeOrigin.Read($"CONNECTED(00000003)\ndepth=0 CN = t\nverify error:num=18:self-signed certificate\n---\nServer certificate\n{Certificate}\nsubject=CN = t\nDONE\nexit 0\n");

        Assert.That((answer.Certificate, answer.IsAccepted), Is.EqualTo((Certificate, true)));
    }

    [TestCase(
        $"verify error:num=18:self-signed certificate\n40:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1601:SSL alert number 40\n{Certificate}\nVerification error: self-signed certificate\nexit 1\n",
        "alert handshake failure")]
    [TestCase("40:error:8000006F:system library:BIO_connect:Connection refused:../crypto/bio/bio_sock2.c:117:calling connect()\nconnect:errno=111\nexit 1\n", "Connection refused")]
    [TestCase("exit 124\n", "came to no certificate")]
    public void Should_SayWhy_When_ItDoesNot(string output, string why)
    {
        var answer = NodeOrigin.Read(output);

        Assert.That(answer.IsAccepted, Is.False);
        Assert.That(answer.Detail, Does.Contain(why));
    }

    [Test]
    public void Should_HaveNoKeyAmongArguments_When_AClientsCertificateIsShown()
    {
        var client = KeyPair.NewClient("client", DateTimeOffset.UtcNow, 1);

        var script = NodeOrigin.Script("it's.example.com", client);

        Assert.That(script, Does.Contain(@"-servername 'it'\''s.example.com' -cert ""$dir/client.pem"" -key ""$dir/client.pem"""));
        Assert.That(script, Does.Not.Contain("PRIVATE KEY"));
    }

    [TestCase("example.com", "example.com", true)]
    [TestCase("*.example.com", "api.example.com", true)]
    [TestCase("*.example.com", "a.b.example.com", false)]
    [TestCase("*.example.com", "example.com", false)]
    [TestCase("*.example.com", "API.Example.COM", true)]
    [TestCase("api.example.com", "example.com", false)]
    public void Should_KnowWhatACertificateIsFor_When_ItHasWildcards(string name, string host, bool expected) =>
        Assert.That(HostNames.Covers(name, host), Is.EqualTo(expected));
}

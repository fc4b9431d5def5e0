using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cake.K3s.Sandbox.Daemon;
using k8s;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
[Platform(Exclude = "Win")]
[UnsupportedOSPlatform("windows")]
internal sealed class ClusterCredentialsTests
{
    private static readonly IPAddress[] Addresses = [IPAddress.Loopback, IPAddress.Parse("10.201.7.1")];

    private SandboxDirectory _directory;

    [SetUp]
    public void MakeDirectory() => _directory = new SandboxDirectory(Directory.CreateTempSubdirectory("cake-k3s-credentials-").FullName);

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory.Root, recursive: true);

    [Test]
    public void Should_BeTrustedByItsAuthority_When_AClientChecksTheServer()
    {
        var credentials = ClusterCredentials.Open(_directory, Addresses, TimeProvider.System);
        using var authority = X509Certificate2.CreateFromPem(credentials.Authority);
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority);

        Assert.That(chain.Build(credentials.Server), Is.True);
        Assert.That(Addresses.Select(address => credentials.Server.MatchesHostname(address.ToString())), Is.All.True);
        Assert.That(credentials.Server.MatchesHostname("kubernetes.default.svc"), Is.True);
        Assert.That(credentials.Authority, Does.Not.Contain("PRIVATE KEY"));
    }

    [Test]
    public void Should_KeepAuthorityAndToken_When_OpenedAgain()
    {
        var first = ClusterCredentials.Open(_directory, Addresses, TimeProvider.System);
        var second = ClusterCredentials.Open(_directory, Addresses, TimeProvider.System);

        Assert.That(second.Authority, Is.EqualTo(first.Authority));
        Assert.That(second.Token, Is.EqualTo(first.Token));
        Assert.That(
            Directory.GetFiles(_directory.Credentials).Select(File.GetUnixFileMode),
            Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public void Should_BeReadByClients_When_AKubeconfigIsWritten()
    {
        var credentials = ClusterCredentials.Open(_directory, Addresses, TimeProvider.System);
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(credentials.Kubeconfig(port: 6443)));

        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(text);

        Assert.That(configuration.Host, Is.EqualTo("https://127.0.0.1:6443"));
        Assert.That(configuration.AccessToken, Is.EqualTo(credentials.Token));
        Assert.That(configuration.SslCaCerts.Single().ExportCertificatePem(), Is.EqualTo(credentials.Authority));
    }
}

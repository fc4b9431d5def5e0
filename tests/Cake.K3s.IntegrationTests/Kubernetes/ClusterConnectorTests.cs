using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Sandbox.ApiServer;

namespace Cake.K3s.IntegrationTests.Kubernetes;

public sealed class ClusterConnectorTests
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"kubeconfig-{Guid.NewGuid():N}");

    [TearDown]
    public void Delete() => File.Delete(_file);

    private async Task<ClusterApi> OpenAsync(string server, string user, string? context = null)
    {
        await File.WriteAllTextAsync(_file, $$$"""
            apiVersion: v1
            kind: Config
            current-context: shop
            clusters: [{name: shop, cluster: {server: "{{{server}}}"}}]
            contexts: [{name: shop, context: {cluster: shop, user: me}}]
            users: [{name: me, user: {{{{user}}}}}]
            """);
        using var connector = new ClusterConnector(new RecordingReporter(), TimeProvider.System);
        return await connector.OpenAsync(new(_file, context, "shop"), default);
    }

    [Test]
    public async Task Should_open_a_cluster_that_accepts_the_token()
    {
        await using var host = await ApiHost.StartAsync(tokens: new Dictionary<string, ApiUser> { ["right"] = ApiUser.Admin });

        Assert.That(await OpenAsync(host.Address.ToString(), "token: right"), Is.Not.Null);
    }

    [Test]
    public async Task Should_say_that_the_token_is_wrong()
    {
        await using var host = await ApiHost.StartAsync(tokens: new Dictionary<string, ApiUser> { ["right"] = ApiUser.Admin });

        Assert.That(
            () => OpenAsync(host.Address.ToString(), "token: wrong"),
            Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(2).And.Message.Contains("does not accept the credentials of context 'shop'"));
    }

    [Test]
    public void Should_give_up_When_nobody_listens()
    {
        Assert.That(
            () => OpenAsync("http://127.0.0.1:1", "token: x"),
            Throws.TypeOf<ClusterUnreachableException>().With.Message.Contains("127.0.0.1:1 cannot be reached").And.Message.Contains("ConnectionRefused"));
    }

    [Test]
    public void Should_say_that_the_certificate_has_expired()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=me", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(new(2024, 1, 1, 0, 0, 0, default), new(2025, 2, 3, 4, 5, 0, default));
        var data = Base64(certificate.ExportCertificatePem());

        Assert.That(
            () => OpenAsync("https://127.0.0.1:1", $"client-certificate-data: {data}, client-key-data: {Base64(key.ExportPkcs8PrivateKeyPem())}"),
            Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(2).And.Message.Contains("expired on 2025-02-03 04:05 UTC"));

        static string Base64(string pem) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(pem));
    }

    [Test]
    public void Should_name_the_contexts_When_there_is_no_such_one()
    {
        Assert.That(
            () => OpenAsync("http://127.0.0.1:1", "token: x", "other"),
            Throws.TypeOf<K3sException>().With.Message.Contains("there is no context 'other'; there are: shop"));
    }

    [Test]
    public void Should_say_that_the_file_is_missing()
    {
        using var connector = new ClusterConnector(new RecordingReporter(), TimeProvider.System);

        Assert.That(
            () => connector.OpenAsync(new("/nowhere/config", null, "shop"), default),
            Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(2).And.Message.Contains("/nowhere/config: there is no such file"));
    }

    [Test]
    public async Task Should_say_that_the_file_is_no_kubeconfig()
    {
        await File.WriteAllTextAsync(_file, "hello: [");
        using var connector = new ClusterConnector(new RecordingReporter(), TimeProvider.System);

        Assert.That(() => connector.OpenAsync(new(_file, null, "shop"), default), Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(2));
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Sandbox.ApiServer;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>The compiled host with input that cannot be deployed: one error, and nothing changed. How long each took is in the output; on a machine at rest it is under 10 s.</summary>
internal sealed class BadInputTests
{
    private const string Map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";

    private ApiHost _host = null!;
    private ApiProxy _proxy = null!;
    private ManifestApp _app = null!;
    private int _writes;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync(
            (context, next) =>
            {
                if (context.Request.Method != "GET")
                {
                    Interlocked.Increment(ref _writes);
                }

                return next(context);
            },
            new Dictionary<string, ApiUser> { ["right"] = ApiUser.Admin });
        _proxy = await ApiProxy.StartAsync(_host.Address.ToString(), "right");
        _app = new(_proxy.Address);
        _app.Write("manifests/settings.yaml", Map);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _app.Dispose();
        await _proxy.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Should_NameFileAndSize_When_ManifestHas10Megabytes()
    {
        _app.Write("manifests/large.yaml", Map + "data:\n" + string.Concat(Enumerable.Range(0, 1 << 17).Select(i => $"  key-{i:000000}: {new string('x', 65)}\n")));

        await FailsAsync(ExitCodes.BadInput, @"manifests/large\.yaml: 10\.\d MB is too large for a manifest");
    }

    [Test]
    public async Task Should_NameFileAndLine_When_ItHas5000Documents()
    {
        _app.Write("manifests/many.yaml", string.Concat(Enumerable.Range(0, 5_000).Select(i => $"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}}}\n")));

        await FailsAsync(ExitCodes.BadInput, @"manifests/many\.yaml:\d+:1: more than 4000 documents in one file");
    }

    [Test]
    public async Task Should_NameFileAndLine_When_AliasesUnfoldWithoutEnd()
    {
        var bomb = new StringBuilder(Map + "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 12; i++)
        {
            bomb.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        }

        _app.Write("manifests/bomb.yaml", bomb.ToString());

        await FailsAsync(ExitCodes.BadInput, @"manifests/bomb\.yaml:\d+:\d+: the aliases of this file unfold");
    }

    [Test]
    public async Task Should_SayWhen_When_ClientCertificateHasExpired()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=me", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(new(2024, 1, 1, 0, 0, 0, default), new(2025, 2, 3, 4, 5, 0, default));
        _app.Write("kubeconfig", ManifestApp.Kubeconfig(
            _proxy.Address.ToString(),
            $"client-certificate-data: {Base64(certificate.ExportCertificatePem())}, client-key-data: {Base64(key.ExportPkcs8PrivateKeyPem())}"));

        await FailsAsync(ExitCodes.BadInput, "client certificate expired on 2025-02-03 04:05 UTC");

        static string Base64(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));
    }

    [Test]
    public async Task Should_NameContext_When_TokenIsWrong()
    {
        _app.Write("kubeconfig", ManifestApp.Kubeconfig(_host.Address.ToString(), "token: wrong"));

        await FailsAsync(ExitCodes.BadInput, "does not accept the credentials of context 'test'");
    }

    [Test]
    public async Task Should_NameNamespace_When_ItIsTerminating()
    {
        using var api = new ClusterApi(new SocketsHttpHandler(), _proxy.Address, ManifestApp.Name);
        var held = $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{ManifestApp.Name}}}","finalizers":["example.com/hold"]}}""";
        await api.CreateAsync(JsonNode.Parse(held)!.AsObject(), default);
        await api.DeleteAsync(new(new("", "v1", "Namespace"), null, ManifestApp.Name), default);

        await FailsAsync(ExitCodes.Failed, $"namespace {ManifestApp.Name} is being deleted");
    }

    [Test]
    public async Task Should_NameAddress_When_NobodyListens()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://{listener.LocalEndpoint}";
        listener.Stop();
        _app.Write("kubeconfig", ManifestApp.Kubeconfig(address));

        await FailsAsync(ExitCodes.Failed, $"the Kubernetes API at {address} cannot be reached: .*ConnectionRefused");
    }

    [Test]
    public async Task Should_NameAddress_When_NothingEverAnswers()
    {
        // Takes connections and never says anything, as a firewall that has forgotten them.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _app.Write("kubeconfig", ManifestApp.Kubeconfig($"http://{listener.LocalEndpoint}"));

        await FailsAsync(ExitCodes.Failed, $"the Kubernetes API at http://{listener.LocalEndpoint} cannot be reached: no answer within");
    }

    private async Task FailsAsync(int exitCode, string error)
    {
        var writes = _writes;
        var start = Stopwatch.GetTimestamp();

        var run = await _app.RunAsync("--target=Deploy");

        await TestContext.Out.WriteLineAsync($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.EqualTo(exitCode));
            Assert.That(run.Output.Split('\n').Where(line => line.StartsWith("Error:")).ToList(), Has.Count.EqualTo(1));
            Assert.That(run.Output, Does.Match($"(?m)^Error: .*{error}"));
            Assert.That(_writes, Is.EqualTo(writes), "something was changed");
        }
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Environments;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Edge;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;
using Cake.K3s.Tests.Edge.Cloudflare;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>A run whose cluster is the sandbox's API, whose Cloudflare is the stand-in, and whose processes can be killed.</summary>
internal sealed class EdgeStage : IAsyncDisposable
{
    public const string App = "shop";
    private readonly List<IDisposable> _connections = [];

    public HastyTime Time { get; } = new(DateTimeOffset.UtcNow);

    public CloudflareStandIn Cloudflare { get; } = new();

    public ApiHost Host { get; private set; } = null!;

    /// <summary>What a visitor gets through Cloudflare.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Visitor { get; set; } = _ => new(HttpStatusCode.OK);

    public static async Task<EdgeStage> StartAsync() => new() { Host = await ApiHost.StartAsync() };

    public ClusterApi Open(Faults? faults = null)
    {
        var api = faults is null ? Host.Open() : Host.Open(faults);
        _connections.Add(api);
        return api;
    }

    /// <summary>A run of its own, as after a kill.</summary>
    public (ControlCluster Cluster, CloudflareConnector Cloudflare, EdgeVisitor Visitor) Run(
        EdgeSettings edge, Faults? faults = null, ImmutableDictionary<string, EnvironmentSettings>? others = null,
        Func<EnvironmentSettings, EnvironmentSettings>? change = null)
    {
        var settings = new EnvironmentSettings
        {
            Name = "test",
            Namespace = App,
            Edge = edge with { CloudflareZone = CloudflareStandIn.ZoneName, CloudflareToken = new() { Variable = "TOKEN" }, CloudflareApi = CloudflareStandIn.Address },
        };
        settings = change?.Invoke(settings) ?? settings;
        var deploy = new DeploySettings
        {
            App = App,
            File = "/deploy.yaml",
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = (others ?? ImmutableDictionary<string, EnvironmentSettings>.Empty).SetItem("test", settings),
        };
        var run = new PipelineRun(
            new RunOptions { Root = "/", SettingsFile = deploy.File, Environment = "test" },
            deploy,
            new DeployEnvironment
            {
                Name = "test",
                Settings = settings,
                Cluster = new("/kubeconfig", null, App),
                Registry = new("registry", "", false, "/"),
                Builder = new(null, null),
                SigningKey = new("/key", "/key.pub", null),
            });
        var api = Open(faults);
        var cluster = new ControlCluster(run, (_, _) => Task.FromResult(api), TimeProvider.System);
        var http = Client(Cloudflare, faults);
        var visitor = new HttpClient(new Answering(request => Visitor(request)));
        _connections.Add(visitor);
        var mask = new SecretMask();
        var secrets = new SecretReader(new EnvironmentVariables(name => name == "TOKEN" ? CloudflareStandIn.Token : null), new CommandRunner(mask, TimeProvider.System), mask);
        return (cluster, new CloudflareConnector(run, secrets, http, Time), new EdgeVisitor(cluster, visitor));
    }

    /// <summary>A client of a stand-in that all processes share.</summary>
    public HttpClient Client(HttpMessageHandler standIn, Faults? faults)
    {
        var client = new HttpClient(faults?.Before(new Kept(standIn)) ?? new Kept(standIn));
        _connections.Add(client);
        return client;
    }

    /// <summary>What is at Cloudflare. Nothing that it would not take was sent to it.</summary>
    public string CloudflareState()
    {
        Assert.That(Cloudflare.Wrong, Is.Empty);
        return Cloudflare.State();
    }

    public static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    public async ValueTask DisposeAsync()
    {
        _connections.ForEach(connection => connection.Dispose());
        await Host.DisposeAsync();
        Cloudflare.Dispose();
    }

    // One stand-in for all processes.
    private sealed class Kept(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}

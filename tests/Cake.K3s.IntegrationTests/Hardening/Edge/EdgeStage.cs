using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Environments;
using Cake.K3s.Hardening;
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
        HttpMessageHandler handler = new SocketsHttpHandler();
        var api = new ClusterApi(
            faults?.Before(handler) ?? handler, Host.Address, App, retry: new() { Repetitions = 1, FirstDelay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(5) });
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
        var cluster = new ControlCluster(run, (_, _) => Task.FromResult(api));
        var http = Client(Cloudflare, faults);
        var visitor = new HttpClient(new Answering(request => Visitor(request)));
        _connections.Add(visitor);
        var mask = new SecretMask();
        var secrets = new SecretReader(new EnvironmentVariables(name => name == "TOKEN" ? CloudflareStandIn.Token : null), new CommandRunner(mask, TimeProvider.System), mask);
        return (cluster, new CloudflareConnector(run, secrets, http, Time), new EdgeVisitor(cluster, visitor));
    }

    /// <summary>
    /// Plays a fault at every write of applying, and of undoing: applying again must put all in place and then find nothing to do, and
    /// undoing must bring back what was before.
    /// </summary>
    /// <param name="make">Makes the control for a process.</param>
    /// <param name="state">What a person sees of all that the control may touch.</param>
    /// <param name="kinds">The faults; all where none is given.</param>
    public async Task EachWriteAsync(Func<Faults?, IControl> make, Func<Task<string>> state, params FaultKind[] kinds)
    {
        var before = await state();
        foreach (var kind in kinds.Length > 0 ? kinds : Enum.GetValues<FaultKind>())
        {
            var isUndo = false;
            for (var write = 1; ; write++)
            {
                var what = $"{kind} at write {write} of {(isUndo ? "undoing" : "applying")}";
                var faults = new Faults(write, kind);
                if (isUndo)
                {
                    await make(null).ApplyAsync(default);
                }

                await StrikeAsync(isUndo ? () => make(faults).UndoAsync(default) : () => make(faults).ApplyAsync(default));
                if (!isUndo)
                {
                    await make(null).ApplyAsync(default);
                    Assert.That((await make(null).AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty, what);
                    Assert.That(await make(null).ApplyAsync(default), Is.Empty, what);
                }

                await make(null).UndoAsync(default);
                Assert.That(await state(), Is.EqualTo(before), what);
                Assert.That(Cloudflare.Wrong, Is.Empty, what);
                if (faults.Struck)
                {
                    continue;
                }

                if (isUndo)
                {
                    break;
                }

                (isUndo, write) = (true, 0);
            }
        }

        static async Task StrikeAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (Exception struck) when (struck is KilledException or K3sException)
            {
                // As meant.
            }
        }
    }

    /// <summary>A client of a stand-in that all processes share.</summary>
    public HttpClient Client(HttpMessageHandler standIn, Faults? faults)
    {
        var client = new HttpClient(faults?.Before(new Kept(standIn)) ?? new Kept(standIn));
        _connections.Add(client);
        return client;
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

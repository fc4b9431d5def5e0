using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Cluster.Observability;
using Cake.K3s.IntegrationTests.Hardening.Cluster.Alerting;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;
using RecordingReporter = Cake.K3s.IntegrationTests.Images.Fixtures.RecordingReporter;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The parts' own manifests, with a real Prometheus, and stand-ins for the Helm controller and for what the other charts run.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ObservabilityControlTests : IAsyncDisposable
{
    private static readonly GroupVersionKind ChartType = new("helm.cattle.io", "v1", "HelmChart");
    private readonly Dictionary<string, string> _answers = [];
    private readonly List<string> _asked = [];
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private HelmStandIn _helm = null!;
    private PrometheusServer? _prometheus;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync(async (context, next) =>
        {
            var path = context.Request.Path.Value!;
            if (path == "/metrics")
            {
                await context.Response.WriteAsync("up_to_now 1\n");
            }
            else if (path.Split("/proxy/") is [var service, var rest])
            {
                if (_prometheus is { } prometheus && service.EndsWith("/monitoring/services/prometheus-operated:9090", StringComparison.Ordinal))
                {
                    await prometheus.AnswerAsync(context, rest);
                    return;
                }

                lock (_asked)
                {
                    _asked.Add($"{context.Request.Method} {service.Split('/')[^1]}/{rest}");
                }

                await context.Response.WriteAsync(_answers.FirstOrDefault(answer => rest.StartsWith(answer.Key, StringComparison.Ordinal)).Value ?? "{}");
            }
            else
            {
                await next(context);
            }
        });
        _api = _host.Open();
        await CustomTypes.DefineAsync(_api, "helm.cattle.io");
        foreach (var ns in new[] { "shop", "kube-system" })
        {
            await _api.ApplyAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } }, default, new() { Force = true });
        }

        _helm = new(_api, "monitoring.coreos.com");
    }

    public async ValueTask DisposeAsync()
    {
        await (_helm?.DisposeAsync() ?? default);
        await (_prometheus?.DisposeAsync() ?? default);
        _api?.Dispose();
        await (_host?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_install_measure_and_take_away_what_measures()
    {
        var control = Control("Monitoring", _api);
        var before = await control.AuditAsync(default);
        var changes = await control.ApplyAsync(default);
        _prometheus = await PrometheusServer.StartAsync(_host.Address, await PrometheusServer.RulesAsync());
        var after = await control.AuditAsync(default);
        var proof = await control.VerifyAsync(default);
        var again = await control.ApplyAsync(default);
        await control.UndoAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(before.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(changes.Select(change => change.Description), Has.Some.EqualTo("make HelmChart/monitoring").And.Some.EqualTo("make PrometheusRule/cake-k3s"));
            Assert.That(after.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
            Assert.That(proof.Select(finding => $"{finding.State} {finding.Summary}"), Is.EqualTo(new[]
            {
                "InPlace 1 workloads are ready", "InPlace all 1 targets are up", "InPlace all 11 alerts are loaded and evaluated",
            }));
            Assert.That(again, Is.Empty);
            Assert.That(await ChartsAsync(), Is.Empty);
            Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
        });
    }

    [Test]
    public async Task Should_find_lines_in_Loki_and_a_span_in_Tempo()
    {
        var (logs, tracing) = (Control("Logs", _api), Control("Tracing", _api));
        _answers["loki/api/v1/query"] = """{"data": {"result": [{"metric": {"namespace": "shop"}, "value": [1, "42"]}]}}""";
        _answers["api/traces/"] = """{"batches": [{}]}""";
        await logs.ApplyAsync(default);
        await tracing.ApplyAsync(default);
        var (lines, spans) = (await logs.VerifyAsync(default), await tracing.VerifyAsync(default));

        Assert.That(lines[^1].Evidence, Is.EqualTo(new[] { "shop: 42 lines" }));
        Assert.That(spans.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
        Assert.That(_asked, Has.Some.EqualTo("POST otel-collector:4318/v1/traces").And.Some.StartsWith("GET tempo:3200/api/traces/"));
    }

    [Test]
    public async Task Should_say_what_Helm_could_not_install()
    {
        _helm.Broken.Add("monitoring");

        Assert.That(async () => await Control("Monitoring", _api).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("no such chart"));
        Assert.That((await Control("Monitoring", _api).AuditAsync(default)).Select(finding => finding.Summary), Has.Some.EqualTo("Helm could not install it: no such chart"));
    }

    [TestCase("Monitoring")]
    [TestCase("Logs")]
    [TestCase("Tracing")]
    public Task Should_converge_and_undo_when_killed_or_refused_at_any_change(string control) =>
        Interruption.EachChangeAsync(_host, api => Control(control, api, "chart.yaml", "alerts.yaml"), async () => string.Join(' ', await ChartsAsync()));

    [Test]
    public async Task Should_say_that_it_is_not_asked_for() => Assert.That(
        (await new LogsControl(ControlStage.Cluster(_api, new()), ControlStage.Loader, Installer, TimeProvider.System).AuditAsync(default)).Select(finding => finding.Summary),
        Is.EqualTo(new[] { "hardening.logs of the environment is not set in deploy.yaml" }));

    private static ChartInstaller Installer => new(new RolloutWatcher(TimeProvider.System, new RecordingReporter()), TimeProvider.System);

    private static IControl Control(string name, ClusterApi api, params string[] monitoring)
    {
        var hardening = new HardeningSettings { Monitoring = new() { Manifests = [.. monitoring.Select(file => "manifests/observability/monitoring/" + file)] }, Logs = new(), Tracing = new() };
        var cluster = ControlStage.Cluster(api, hardening, TestSandbox.RepositoryRoot);
        return name switch
        {
            "Logs" => new LogsControl(cluster, ControlStage.Loader, Installer, TimeProvider.System),
            "Tracing" => new TracingControl(cluster, ControlStage.Loader, Installer, TimeProvider.System),
            _ => new MonitoringControl(cluster, ControlStage.Loader, Installer, TimeProvider.System),
        };
    }

    private async Task<IEnumerable<string?>> ChartsAsync() => (await _api.ListAsync(ChartType, null, null, default)).Items.Select(item => item.ObjectName());
}

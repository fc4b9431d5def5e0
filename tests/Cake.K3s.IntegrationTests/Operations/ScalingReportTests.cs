using Cake.K3s.Environments;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Operations.Scaling;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Operations;

/// <summary>The figures, with made-up answers of Prometheus behind the sandbox's API.</summary>
public sealed class ScalingReportTests
{
    [TestCase("""{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "812.5"]}]}}""", 812.5, null)]
    [TestCase("""{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "NaN"]}]}}""", null, "nothing was measured in the last hour")]
    [TestCase("""{"status": "success", "data": {"resultType": "vector", "result": []}}""", null, "nothing was measured in the last hour")]
    public async Task Should_read_what_Prometheus_measured_and_guess_nothing_else(string answer, double? value, string? why)
    {
        await using var host = await ApiHost.StartAsync((context, next) =>
            context.Request.Path.Value!.EndsWith("/services/prometheus-operated:9090/proxy/api/v1/query", StringComparison.Ordinal) ? context.Response.WriteAsync(answer) : next(context));
        using var api = host.Open();
        var figures = await Report(api, new() { Users = 7 }).FiguresAsync(default);

        var latency = figures.Single(figure => figure.Trigger == ScalingTrigger.Latency);
        Assert.Multiple(() =>
        {
            Assert.That((latency.Value, latency.Why), Is.EqualTo((value, why)));
            Assert.That(figures.Select(figure => figure.Trigger.Name), Is.EqualTo(ScalingTrigger.All.Select(trigger => trigger.Name)));
            Assert.That(figures.Where(figure => figure.Value is null).Select(figure => figure.Why), Is.All.Not.Null);
            Assert.That(figures.Single(figure => figure.Trigger == ScalingTrigger.Users).Value, Is.EqualTo(7));
            Assert.That(figures.Single(figure => figure.Trigger == ScalingTrigger.Revenue).Why, Is.EqualTo("scaling.revenue of the environment is not set in deploy.yaml"));
        });
    }

    [Test]
    public async Task Should_say_that_Prometheus_is_not_there()
    {
        await using var host = await ApiHost.StartAsync();
        using var api = host.Open();

        var figures = await Report(api, new()).FiguresAsync(default);

        Assert.That(figures[0].Why, Does.StartWith("Prometheus does not answer: "));
    }

    /// <summary>A report.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="scaling">What deploy.yaml says.</param>
    /// <param name="redis">Redis' own client; null where there is no Redis.</param>
    /// <param name="variables">Where secrets of deploy.yaml come from.</param>
    /// <param name="change">Changes the environment.</param>
    internal static ScalingReport Report(
        K3s.Kubernetes.Api.ClusterApi api, ScalingSettings scaling, RedisCli? redis = null, EnvironmentVariables? variables = null, Func<DeployEnvironment, DeployEnvironment>? change = null)
    {
        var mask = new SecretMask();
        var cluster = ControlStage.Cluster(
            api,
            new(),
            change: environment => (change?.Invoke(environment) ?? environment) with { Settings = environment.Settings with { Scaling = scaling } });
        var run = new PipelineRun(new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", Environment = "test" }, new SettingsReader(), []);

        // Nothing is written: no console is reached.
        return new(run, cluster, redis!, new SecretReader(variables ?? new(_ => null), new CommandRunner(mask, TimeProvider.System), mask), mask, null!);
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Tools.Debian;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster.Alerting;

/// <summary>The real Prometheus, and where it is wanted the real Alertmanager, as Debian packages them, on free ports of loopback.</summary>
internal sealed partial class PrometheusServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private readonly CancellationTokenSource _ending = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("prometheus-test-");
    private readonly HttpClient _http = new();
    private readonly List<Task> _running = [];

    /// <summary>Where it answers.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The folder with the programs.</summary>
    public static Task<string> ProgramsAsync() => ExternalTools.UnpackedAsync(DebianRelease.Current, "prometheus", "promtool", "prometheus-alertmanager");

    /// <summary>The rules of this repository's manifests, as a file for Prometheus: YAML holds JSON.</summary>
    public static async Task<JsonObject> RulesAsync() =>
        (await CustomTypes.LoadAsync("manifests/observability/monitoring/alerts.yaml")).Single(node => node.Text("kind") == "PrometheusRule")["spec"]!.DeepClone().AsObject();

    /// <summary>Starts it.</summary>
    /// <param name="exporter">What it measures, once a second, at <c>/metrics</c>.</param>
    /// <param name="rules">Its rules; null for none.</param>
    /// <param name="alertmanager">Alertmanager's configuration; null for none.</param>
    public static async Task<PrometheusServer> StartAsync(Uri exporter, JsonObject? rules = null, JsonObject? alertmanager = null)
    {
        var server = new PrometheusServer();
        try
        {
            var programs = Path.Combine(await ProgramsAsync(), "usr");
            var configuration = new JsonObject
            {
                ["global"] = new JsonObject { ["scrape_interval"] = "1s", ["evaluation_interval"] = "1s" },
                ["scrape_configs"] = new JsonArray(new JsonObject
                {
                    ["job_name"] = "exporter",
                    ["static_configs"] = new JsonArray(new JsonObject { ["targets"] = new JsonArray(exporter.Authority) }),
                }),
            };
            if (rules is not null)
            {
                configuration["rule_files"] = new JsonArray(server.Write("rules.yaml", rules));
            }

            if (alertmanager is not null)
            {
                // Debian's reads its templates from /usr/share alone: it gets the package's in a mount namespace of its own.
                var told = await server.RunAsync(
                    "unshare",
                    "--mount", "sh", "-c", "mount --bind \"$1\" /usr/share && shift && exec \"$@\"", "sh", $"{programs}/share",
                    $"{programs}/bin/prometheus-alertmanager",
                    "--config.file=" + server.Write("alertmanager.yaml", alertmanager), $"--storage.path={server._directory}/alertmanager", "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=");
                configuration["alerting"] = new JsonObject
                {
                    ["alertmanagers"] = new JsonArray(new JsonObject { ["static_configs"] = new JsonArray(new JsonObject { ["targets"] = new JsonArray(told.Authority) }) }),
                };
            }

            server.Address = await server.RunAsync(
                $"{programs}/bin/prometheus", "--config.file=" + server.Write("prometheus.yaml", configuration), $"--storage.tsdb.path={server._directory}/data", "--web.listen-address=127.0.0.1:0");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Answers a request that the Kubernetes API would pass on to it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="path">Its path behind <c>/proxy/</c>.</param>
    public async Task AnswerAsync(HttpContext context, string path)
    {
        using var answer = await _http.GetAsync(new Uri(Address, path + context.Request.QueryString));
        context.Response.StatusCode = (int)answer.StatusCode;
        await context.Response.WriteAsync(await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_running.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));
        _ending.Dispose();
        _http.Dispose();
        _directory.Delete(recursive: true);
    }

    private string Write(string name, JsonObject content)
    {
        var file = Path.Combine(_directory.FullName, name);
        File.WriteAllText(file, content.ToJsonString());
        return file;
    }

    private async Task<Uri> RunAsync(string program, params string[] arguments)
    {
        var listens = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new List<string>();
        var running = ExternalTools.Commands.RunAsync(
            new Command(program, arguments)
            {
                OnLine = line =>
                {
                    lines.Add(line.Text);
                    if (Listens.Match(line.Text) is { Success: true } match)
                    {
                        listens.TrySetResult(new Uri("http://" + match.Groups[1].Value));
                    }
                },
            },
            _ending.Token);
        _running.Add(running);
        if (await Task.WhenAny(listens.Task, running).WaitAsync(StartLimit) == running)
        {
            await running;
            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{program} ended: {string.Join('\n', lines)}"));
        }

        return await listens.Task;
    }

    [GeneratedRegex("msg=\"Listening on\" address=(\\S+)")]
    private static partial Regex Listens { get; }
}

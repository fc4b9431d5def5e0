using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Notifications;
using Cake.K3s.Operations.Uptime;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Operations.Uptime;

/// <summary>CheckUptime against a server that the test stops, and a stand-in for Slack that hears of it.</summary>
public sealed class UptimeChecksTests
{
    private HttpListener _app = null!;
    private HttpListener _slack = null!;
    private string _address = "";
    private string _hook = "";

    [SetUp]
    public void Start()
    {
        (_app, _address) = Listen();
        (_slack, _hook) = Listen();
        _ = AnswerAsync(_app);
    }

    [TearDown]
    public void Stop()
    {
        _app.Close();
        _slack.Close();
    }

    [Test]
    public async Task Should_ReachSlack_When_TheAppIsStopped()
    {
        Assert.That(() => Checks(new UptimeCheck { Name = "page", Url = _address, Contains = "well" }).CheckAsync(), Throws.Nothing);

        _app.Close();
        var failure = Assert.ThrowsAsync<K3sException>(() => Checks(new UptimeCheck { Name = "page", Url = _address }).CheckAsync())!;
        var heard = HearAsync(_slack);
        await TellAsync(failure);

        var text = JsonNode.Parse(await heard)!["text"]!.ToString();
        Assert.That(text, Does.Contain("*shop test: CheckUptime failed*").And.Contain("1 of 1 checks fail: page: does not answer"));
    }

    [TestCase(404, null, "answers 200, not 404")]
    [TestCase(200, "ill", "the answer does not contain 'ill'")]
    public void Should_SayWhatIsWrong_When_TheAnswerIsAnother(int status, string? contains, string expected) => Assert.That(
        () => Checks(new UptimeCheck { Name = "page", Url = _address, Status = status, Contains = contains }).CheckAsync(),
        Throws.TypeOf<K3sException>().With.Message.Contains(expected));

    [Test]
    public void Should_SaySo_When_NothingIsChecked() => Assert.That(
        () => new UptimeChecks(Run(null), new UptimeProbe(TimeProvider.System), new RecordingReporter()).CheckAsync(),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));

    private static UptimeChecks Checks(params ImmutableArray<UptimeCheck> checks) => new(Run(new() { Checks = checks }), new UptimeProbe(TimeProvider.System), new RecordingReporter());

    private static PipelineRun Run(UptimeSettings? uptime, ImmutableArray<NotificationSettings> notifications = default)
    {
        var environment = new EnvironmentSettings { Name = "test", Uptime = uptime, Notifications = notifications.IsDefault ? [] : notifications };
        var settings = new DeploySettings
        {
            App = "shop",
            File = "/deploy.yaml",
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", environment),
        };
        return new(
            new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", Environment = "test" },
            settings,
            new DeployEnvironment
            {
                Name = "test",
                Settings = environment,
                Cluster = new("/k", null, "shop"),
                Registry = new("r", "", false, "/"),
                Builder = new(null, null),
                SigningKey = new("/k", "/k.pub", null),
            });
    }

    // As the host does when a task has failed.
    private async Task TellAsync(K3sException failure)
    {
        var mask = new SecretMask();
        var secrets = new SecretReader(new EnvironmentVariables(name => name == "SLACK" ? _hook : null), new CommandRunner(mask, TimeProvider.System), mask);
        using var http = new HttpClient();
        var run = Run(null, [new() { Slack = new() { Variable = "SLACK" }, On = [RunOutcome.Failure] }]);
        await using var observer = new NotificationObserver(new Lazy<PipelineRun>(run), new NotificationSender(http, secrets), new RunOrigin("ci@runner", null), new LogRecorder(), mask);
        observer.Observe(new RunStarted("CheckUptime", ["CheckUptime"]));
        observer.Observe(new RunEnded(failure.ExitCode, failure.Summary, failure.NextStep, []));
    }

    private static (HttpListener Listener, string Address) Listen()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        free.Stop();
        var listener = new HttpListener();
        listener.Prefixes.Add(address);
        listener.Start();
        return (listener, address);
    }

    private static async Task<string> HearAsync(HttpListener slack)
    {
        var context = await slack.GetContextAsync();
        using var reader = new StreamReader(context.Request.InputStream);
        var body = await reader.ReadToEndAsync();
        context.Response.Close("ok"u8.ToArray(), willBlock: false);
        return body;
    }

    private static async Task AnswerAsync(HttpListener app)
    {
        try
        {
            while (true)
            {
                (await app.GetContextAsync()).Response.Close("all is well"u8.ToArray(), willBlock: false);
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
            // The app is stopped.
        }
    }
}

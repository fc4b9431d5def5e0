using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hosting;
using Cake.K3s.Notifications;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Notifications;

public sealed class NotificationTests
{
    private readonly Requests _requests = new();
    private TemporaryDirectory _directory = null!;
    private LogRecorder _log = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _log = new LogRecorder();
        _requests.Bodies.Clear();
        _requests.Status = HttpStatusCode.OK;
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [TestCase(ExitCodes.Success, null, "notes production: Deploy succeeded (release 12)")]
    [TestCase(ExitCodes.Failed, "image <api> did not build", "notes production: Deploy failed")]
    [TestCase(ExitCodes.RolledBack, "it crashed", "notes production: Deploy failed and was rolled back")]
    [TestCase(ExitCodes.LockHeld, "held by ann", "notes production: Deploy failed")]
    [TestCase(ExitCodes.Cancelled, "cancelled", "notes production: Deploy was cancelled")]
    public async Task Should_TellSlackOfEveryOutcome(int exitCode, string? failure, string subject)
    {
        await RunAsync("[{slack: {variable: SLACK}}]", "Deploy", exitCode, failure);

        var (request, body) = _requests.Bodies.Single();
        var text = JsonNode.Parse(body)!["text"]!.GetValue<string>();
        Assert.That(request.RequestUri, Is.EqualTo(new Uri("https://hooks.example.com/services/secret")));
        Assert.That(text, Does.Contain($"*{subject}*"));
        Assert.That(text, Does.Not.Contain("<api>"), "Slack would take it for markup");
        Assert.That(_log.Lines, Is.Empty);
    }

    [Test]
    public async Task Should_SendTheOutcomeAsJson_When_ItIsAWebhook()
    {
        await RunAsync("[{webhook: {address: \"https://example.com/hook\", token: {variable: TOKEN}}}]", "Rollback", ExitCodes.Failed, "it failed");

        var (request, body) = _requests.Bodies.Single();
        var json = JsonNode.Parse(body)!;
        Assert.That(request.Headers.Authorization!.ToString(), Is.EqualTo("Bearer top-secret"));
        Assert.That((string?)json["outcome"], Is.EqualTo("failure"));
        Assert.That((string?)json["failure"], Is.EqualTo("it failed"));
        Assert.That((int?)json["exitCode"], Is.EqualTo(1));
        Assert.That((string?)json["by"], Is.EqualTo("ann@runner"));
    }

    [Test]
    public async Task Should_SendMail()
    {
        using var server = new SmtpServer();

        await RunAsync($"[{{email: {{server: 127.0.0.1, port: {server.Port}, insecure: true, from: deploy@example.com, to: [ann@example.com, ben@example.com]}}}}]", "Deploy", ExitCodes.RolledBack, "it crashed");

        var received = await server.Received;
        Assert.That(received, Does.Contain("RCPT TO:<ann@example.com>").And.Contain("RCPT TO:<ben@example.com>"));
        Assert.That(received, Does.Contain("Subject: notes production: Deploy failed and was rolled back").And.Contain("it crashed"));
        Assert.That(_log.Lines, Is.Empty);
    }

    [Test]
    public async Task Should_SendNoMailInTheClear_When_TheServerOffersNoTls()
    {
        using var server = new SmtpServer();

        await RunAsync($"[{{email: {{server: 127.0.0.1, port: {server.Port}, from: deploy@example.com, to: [ann@example.com]}}}}]", "Deploy", ExitCodes.Success, null);

        Assert.That(_log.Lines.Single(), Does.Contain("mail server 127.0.0.1 did not take the message"));
        Assert.That(await server.Received, Does.Not.Contain("DATA"));
    }

    [TestCase("failure, rolledBack", ExitCodes.Success, 0)]
    [TestCase("failure, rolledBack", ExitCodes.RolledBack, 1)]
    [TestCase("success", ExitCodes.Failed, 0)]
    public async Task Should_TellOnlyWhatIsAskedFor(string outcomes, int exitCode, int expected)
    {
        await RunAsync($"[{{slack: {{variable: SLACK}}, on: [{outcomes}]}}]", "Deploy", exitCode, null);

        Assert.That(_requests.Bodies, Has.Count.EqualTo(expected));
    }

    [TestCase("Plan", 0)]
    [TestCase("Status", 0)]
    [TestCase("Audit", 1)]
    [TestCase("Harden-SshPort", 1)]
    public async Task Should_TellOnlyOfRunsThatConcernOthers(string task, int expected)
    {
        await RunAsync("[{slack: {variable: SLACK}}]", task, ExitCodes.Success, null);

        Assert.That(_requests.Bodies, Has.Count.EqualTo(expected));
    }

    [Test]
    public async Task Should_WarnWithoutTheSecret_When_TheOtherSideRefuses()
    {
        _requests.Status = HttpStatusCode.Forbidden;

        await RunAsync("[{slack: {variable: SLACK}}, {slack: {variable: MISSING}}]", "Deploy", ExitCodes.Success, null);

        Assert.That(_log.Lines, Has.Count.EqualTo(2));
        Assert.That(_log.Lines, Has.All.StartWith("Warning notification: ").And.All.Contain("Next: ").And.None.Contain("services/secret"));
    }

    private async Task RunAsync(string notifications, string task, int exitCode, string? failure)
    {
        var settings = "app: notes\nimages: {notes: {context: .}}\nenvironments:\n  production:\n    cluster: {kubeconfig: config}\n    registry: {address: registry.example.com}\n    notifications: " + notifications;
        var options = new RunOptions { Root = _directory.Path, SettingsFile = _directory.Write("deploy.yaml", settings), Environment = "production" };
        var variables = new EnvironmentVariables(name => name switch { "SLACK" => "https://hooks.example.com/services/secret", "TOKEN" => "top-secret", _ => null });
        var mask = new SecretMask();
        var sender = new NotificationSender(new HttpClient(_requests, disposeHandler: false), new SecretReader(variables, new CommandRunner(mask, TimeProvider.System), mask));
        await using var observer = new NotificationObserver(
            new Lazy<PipelineRun>(new PipelineRun(options, new SettingsReader(), [])), sender, new RunOrigin("ann@runner", null), _log, mask);
        RunEvent[] events =
        [
            new RunStarted(task, [task]),
            new ReleaseChanged(12, exitCode == 0 ? "Verified" : "Failed", null, false, "ann", null, null),
            new VerdictReached("release 12", "done", exitCode == 0 ? [] : [new("Deployment/api", null, null, "Failed", "no", null)], [], null),
            new RunEnded(exitCode, failure, null, []),
        ];
        events.ToList().ForEach(observer.Observe);
    }

    private sealed class Requests : HttpMessageHandler
    {
        public List<(HttpRequestMessage Request, string Body)> Bodies { get; } = [];

        public HttpStatusCode Status { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            lock (Bodies)
            {
                Bodies.Add((request, body));
            }

            return new HttpResponseMessage(Status);
        }
    }
}

using System.Collections.Immutable;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Reporting;

/// <summary>The report in a real browser.</summary>
public sealed class ReportPageTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private Browser _browser = null!;
    private TemporaryDirectory _directory = null!;

    [OneTimeSetUp]
    public async Task StartBrowser()
    {
        _directory = new();
        _browser = await Browser.StartAsync();
        foreach (var (name, run) in (IEnumerable<(string, RunRecord)>)[("failed", Failed()), ("succeeded", Succeeded())])
        {
            await File.WriteAllTextAsync(PageOf(name), ReportPage.Of(run));
        }

        await File.WriteAllTextAsync(Path.Combine(_directory.Path, ReportFiles.JsonName), "{}");
    }

    [OneTimeTearDown]
    public async Task StopBrowser()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Test]
    public async Task Should_Be_Readable([Values("failed", "succeeded")] string run, [Values(390, 1440)] int width, [Values] bool dark)
    {
        await _browser.OpenAsync(PageOf(run), width, dark);
        await _browser.PhotographAsync($"report-{run}-{width}-{(dark ? "dark" : "light")}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(await _browser.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width), "it scrolls sideways");
            Assert.That(await _browser.EvaluateAsync<string[]>(TooFaint), Is.Empty, "contrast below WCAG AA");
            Assert.That(await _browser.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"), Is.EqualTo(dark ? "rgb(20, 23, 28)" : "rgb(255, 255, 255)"));
            Assert.That(_browser.Complaints, Is.Empty);
            Assert.That(_browser.Requests, Has.All.StartsWith("file://").Or.StartsWith("data:"), "it needs something from elsewhere");
        }
    }

    [Test]
    public async Task Should_Lead_To_Its_Parts_And_To_The_Data()
    {
        await _browser.OpenAsync(PageOf("failed"), 1440, dark: false);

        var broken = await _browser.EvaluateAsync<string[]>(
            "[...document.querySelectorAll('a[href^=\"#\"]')].filter(link => !document.getElementById(link.hash.slice(1))).map(link => link.href)");
        var links = await _browser.EvaluateAsync<string[]>("[...document.querySelectorAll('a')].map(link => link.getAttribute('href'))");
        var top = await _browser.EvaluateAsync<double>(
            "document.documentElement.style.scrollBehavior = 'auto', document.querySelector('a[href=\"#images\"]').click(), document.getElementById('images').getBoundingClientRect().top");

        Assert.That(broken, Is.Empty);
        Assert.That(links, Is.EqualTo(["#verdict", "#timeline", "#changes", "#images", "#timings", "#log", "report.json"]));
        Assert.That(top, Is.InRange(-1, 60));
        Assert.That(File.Exists(Path.Combine(_directory.Path, "report.json")));
    }

    [Test]
    public async Task Should_Fold()
    {
        await _browser.OpenAsync(PageOf("failed"), 390, dark: false);

        var shown = await _browser.EvaluateAsync<bool[]>(
            """
            (() => {
              const details = document.querySelector('#changes details'), text = details.querySelector('pre');
              const isShown = () => text.checkVisibility();
              const before = isShown();
              details.querySelector('summary').click();
              const after = isShown();
              details.querySelector('summary').click();
              return [before, after, isShown()];
            })()
            """);

        Assert.That(shown, Is.EqualTo([false, true, false]));
    }

    [Test]
    public async Task Should_Show_What_Programs_Wrote_As_Text()
    {
        await _browser.OpenAsync(PageOf("failed"), 1440, dark: false);

        Assert.That(await _browser.EvaluateAsync<string>("document.querySelector('#log pre').textContent"), Does.Contain("<script>alert(1)</script> & more"));
        Assert.That(await _browser.EvaluateAsync<int>("document.querySelectorAll('script').length"), Is.Zero);
    }

    // Text against the nearest background behind it: 4.5 to 1, large text 3 to 1 (WCAG 2.2, 1.4.3).
    private const string TooFaint =
        """
        (() => {
          const parse = color => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
          const luminance = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = element => {
            for (; element; element = element.parentElement) {
              const color = parse(getComputedStyle(element).backgroundColor);
              if (color.a > 0) return color.rgb;
            }
            return [255, 255, 255];
          };
          document.querySelectorAll('details').forEach(details => details.open = true);
          return [...document.querySelectorAll('body, body *')]
            .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()) && element.checkVisibility())
            .map(element => {
              const style = getComputedStyle(element), size = parseFloat(style.fontSize);
              const [light, dark] = [luminance(parse(style.color).rgb), luminance(behind(element))].sort((a, b) => b - a);
              const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
              return { ratio: (light + 0.05) / (dark + 0.05), needed, text: element.textContent.slice(0, 40) };
            })
            .filter(found => found.ratio < found.needed)
            .map(found => `${found.ratio.toFixed(2)}: ${found.text}`);
        })()
        """;

    private string PageOf(string name) => Path.Combine(_directory.Path, name + ".html");

    private static RunRecord Succeeded() => Sample(failure: null);

    private static RunRecord Failed() => Sample("release 8 failed: Deployment/api, pod api-5c4cdc64fc-cgsh5, container api: CrashLoopBackOff: exits with code 7");

    private static RunRecord Sample(string? failure)
    {
        var recorder = new RunRecorder(TimeProvider.System);
        var seconds = 0;
        string[] tasks = ["Lint", "Test", "BuildImage", "Sign", "Push", "Migrate", "Deploy", "VerifyRollout", "Announce"];
        Tell(new RunStarted("Deploy", [.. tasks]));
        foreach (var (task, duration) in tasks.Zip([1, 23, 31, 4, 2, 3, 1, 18]))
        {
            Tell(new TaskStarted(task));
            Tell(new LineReported(LineLevel.Output, task, "<script>alert(1)</script> & more") { Task = task });
            Tell(new LineReported(LineLevel.Warning, task, string.Concat(Enumerable.Repeat("0123456789abcdef", 20))) { Task = task });
            seconds += duration;
            var outcome = task == "VerifyRollout" && failure is not null ? TaskOutcome.Failed : TaskOutcome.Succeeded;
            Tell(new TaskEnded(task, outcome, TimeSpan.FromSeconds(duration), outcome == TaskOutcome.Failed ? failure : null));
        }

        foreach (var image in (string[])["admin", "api"])
        {
            var digest = "sha256:" + new string('a', 64);
            Tell(new ImageBuilt(image, "gitea.example.com/honeydue/" + image, digest, new string('b', 32), IsNew: true, new string('c', 40), IsDirty: true));
            Tell(new ImageSigned(image, "cosign.pub", IsNew: true, ["how it was built", "what is in it, 120 packages"]));
            Tell(new ImagePushed(image, $"gitea.example.com/honeydue/{image}@{digest}", ["key-" + new string('b', 32), "sha-0123456789ab"], 40_200_000, $"cosign verify --key cosign.pub gitea.example.com/honeydue/{image}@{digest}"));
        }

        Tell(new ObjectChanged("ConfigMap", "honeydue", "settings", ObjectChange.Updated, ["data.url: http://old → http://new", "data.key: (secret) changed"]));
        Tell(new ObjectChanged("Deployment", "honeydue", "api", ObjectChange.Created, []));
        Tell(new ReleaseChanged(8, failure is null ? "Verified" : "RolledBack", new string('c', 40), IsDirty: true, "ann@laptop", "7", null));
        Tell(new EarlierReleases([.. Enumerable.Range(1, 7).Reverse().Select(number => new EarlierRelease(
            number, "Verified", Start.AddDays(number - 8), 1.2, 14 + number, new Dictionary<string, double> { ["Lint"] = 1, ["Test"] = 9, ["VerifyRollout"] = 40 }.ToImmutableSortedDictionary()))]));
        foreach (var (state, after) in ((WorkloadState, int)[])[(WorkloadState.Waiting, 64), (WorkloadState.Struggling, 70), (failure is null ? WorkloadState.Ready : WorkloadState.Failed, 76)])
        {
            Tell(new WorkloadChanged("Deployment", "honeydue", "api", state, "2 of 3 pods ready", [
                new("api-5c4cdc64fc-cgsh5", state == WorkloadState.Ready ? "Running" : "CrashLoopBackOff", state == WorkloadState.Ready, 2, "node-1", true),
                new("api-687cfc8867-f7klc", "Running", true, 0, "node-2", false)])
            { At = Start.AddSeconds(after) });
        }

        Tell(new VerdictReached(
            "release 8",
            failure ?? "7 of 7 watched objects rolled out",
            failure is null ? [] : [new("Deployment/api", "api-5c4cdc64fc-cgsh5", "api", "CrashLoopBackOff", "exits with code 7", "correct what its last log lines say")],
            failure is null ? [] : ["the last log lines:", "| no licence"],
            failure is null ? null : "/srv/honeydue/artifacts/release-8/evidence"));
        Tell(failure is null ? new RunEnded(0, null, null, []) : new RunEnded(3, failure, "correct what its last log lines say", ["| no licence", "release 7 was put back and serves"]));
        return recorder.Record() with { App = "honeydue", Environment = "production" };

        void Tell(RunEvent runEvent) => recorder.Observe(runEvent.At == default ? runEvent with { At = Start.AddSeconds(seconds) } : runEvent);
    }
}

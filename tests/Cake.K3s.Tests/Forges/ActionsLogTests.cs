using Cake.K3s.Forges;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Engine;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Forges;

/// <summary>What is written for the runner of Gitea and GitHub Actions to read.</summary>
public sealed class ActionsLogTests
{
    [Test]
    public void Should_FoldEachTask_And_ShowItsErrorBelow()
    {
        var console = new RecordingConsole();
        var groups = new LogGroups(console);

        groups.Observe(new TaskStarted("Push"));
        groups.Observe(new TaskEnded("Push", TaskOutcome.Failed, TimeSpan.Zero, "100% wrong\nreally"));

        Assert.That(console.Lines, Is.EqualTo(["::group::Push", "::endgroup::", "::error title=Push::100%25 wrong%0Areally"]));
    }

    [Test]
    public void Should_AnnounceEachLineOfASecretOnce()
    {
        var console = new RecordingConsole();
        var mask = new AnnouncingMask(new SecretMask(), console);

        mask.Add(new Secret("first-line\nsecond%line\nab\n"));
        mask.Add(new Secret("first-line"));

        Assert.That(console.Lines, Is.EqualTo(["::add-mask::first-line", "::add-mask::second%25line"]));
        Assert.That(mask.Hide("is first-line here"), Is.EqualTo("is *** here"));
    }

    [Test]
    public void Should_AddToTheJobsSummary_When_ARunEnds()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("summary.md", "before\n");
        var options = new RunOptions { Root = directory.Path, SettingsFile = directory.File("deploy.yaml") };
        var job = new ForgeJob(new("https://git.example.com"), new("https://git.example.com/api/v1/"), "ann", "notes", "abc", null, null, null, file);
        var summary = new JobSummary(job, new Lazy<PipelineRun>(new PipelineRun(options, new SettingsReader(), [])), new LogRecorder());

        summary.Observe(new RunStarted("Deploy", ["Deploy"]));
        summary.Observe(new TaskEnded("Push", TaskOutcome.Failed, TimeSpan.FromSeconds(3), "a | b"));
        summary.Observe(new VerdictReached("release 7", "release 7 failed", [new("Deployment/api", "api-1", null, "CrashLoopBackOff", "exit code 1", null)], ["panic: no database"], null));
        summary.Observe(new RunEnded(3, "it failed", "Look at it.", []));

        var text = File.ReadAllText(file);
        Assert.That(text, Does.StartWith("before\n## Deploy: failed in").And.Contain("**it failed**").And.Contain("Next: Look at it."));
        Assert.That(text, Does.Contain("- `Deployment/api` pod `api-1`: CrashLoopBackOff: exit code 1").And.Contain("panic: no database"));
        Assert.That(text, Does.Contain("| Push | failed: a \\| b | 3.0 s |"));
    }
}

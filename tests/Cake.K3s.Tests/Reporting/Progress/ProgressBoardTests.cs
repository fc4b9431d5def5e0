using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Progress;
using Spectre.Console.Testing;

namespace Cake.K3s.Tests.Reporting.Progress;

/// <summary>What a terminal shows of a run at one moment.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ProgressBoardTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly ProgressBoard _board = new();

    [Test]
    public void Should_Be_Empty_When_No_Run_Has_Begun() => Assert.That(_board.Lines(Start), Is.Empty);

    [Test]
    public void Should_Say_What_Is_Done_What_Goes_On_And_What_Comes_Next()
    {
        Begin("Lint", "Test", "Push");
        Take(0, new TaskStarted("Lint"), new TaskStarted("Test"));
        Take(2, new TaskEnded("Lint", TaskOutcome.Succeeded, TimeSpan.FromSeconds(2), null));

        Assert.That(Text(at: 65), Is.EqualTo(["Deploy, 1 min 05 s", "  + done: Lint 2.0 s", "  * Test 1 min 05 s", "  . next: Push"]));
    }

    [Test]
    public void Should_Show_How_Far_Images_Are()
    {
        Begin("BuildImage");
        Take(0, new TaskStarted("BuildImage"));
        Take(1, new ImageProgressed("api", ImageStage.Build, 2, 3, "RUN make") { Task = "BuildImage" });
        Take(1, new ImageProgressed("web", ImageStage.Upload, 30_000_000, 40_000_000, null) { Task = "BuildImage" });

        Assert.That(Text(at: 1).Skip(2), Is.EqualTo([
            "    ##########---------- api: building, step 2 of 3: RUN make",
            "    ###############----- web: uploading, 30.0 of 40.0 MB"]));
    }

    [Test]
    public void Should_Show_Pods_That_Are_Worth_A_Look()
    {
        Begin("VerifyRollout");
        Take(0, new TaskStarted("VerifyRollout"));
        Take(1, new WorkloadChanged("Deployment", "shop", "api", WorkloadState.Struggling, "1 of 2 pods ready", [
            new("api-new-1", "CrashLoopBackOff", Ready: false, 3, "node-1", IsNew: true),
            new("api-new-2", "Running", Ready: true, 0, "node-1", IsNew: true),
            new("api-old-1", "Running", Ready: false, 0, "node-1", IsNew: false)])
        { Task = "VerifyRollout" });

        Assert.That(Text(at: 1).Skip(2), Is.EqualTo([
            "    ! Deployment/api: may recover: 1 of 2 pods ready",
            "      api-new-1: CrashLoopBackOff, not ready, restarted 3 times, on node-1"]));
    }

    [Test]
    public void Should_Show_The_Last_Line_Of_A_Program_Until_Its_Task_Ends()
    {
        Begin("Test");
        Take(0, new TaskStarted("Test"));
        Take(1, new LineReported(LineLevel.Output, "test", "restoring") { Task = "Test" }, new LineReported(LineLevel.Output, "test", " running\n") { Task = "Test" });
        Assert.That(Text(at: 1)[^1], Is.EqualTo("    test: running"));

        Take(2, new TaskEnded("Test", TaskOutcome.Failed, TimeSpan.FromSeconds(2), "3 tests failed"));
        Assert.That(Text(at: 2)[1], Is.EqualTo("  x Test failed after 2.0 s"));
    }

    [Test]
    public void Should_Cut_Lines_And_Their_Number_To_The_Terminal([Values(20, 80, 200)] int width)
    {
        Begin("VerifyRollout");
        Take(0, new TaskStarted("VerifyRollout"));
        foreach (var number in Enumerable.Range(0, 100))
        {
            Take(1, new WorkloadChanged("Deployment", "shop", $"api-{number:00}", WorkloadState.Waiting, new string('漢', 300), []) { Task = "VerifyRollout" });
        }

        var text = Text(at: 1, width, height: 24);

        Assert.That(text, Has.Count.EqualTo(21));
        Assert.That(text.Select(line => line.Sum(letter => letter > 0x2E80 ? 2 : 1)), Has.All.LessThan(width));
        Assert.That(text[^1], width == 20 ? Does.EndWith("...") : Is.EqualTo("  . and 82 more lines"));
    }

    private void Begin(params string[] tasks) => Take(0, new RunStarted("Deploy", [.. tasks]));

    private void Take(int second, params RunEvent[] events)
    {
        foreach (var runEvent in events)
        {
            _board.Take(runEvent with { At = Start.AddSeconds(second) });
        }
    }

    private List<string> Text(int at, int width = 100, int height = 50)
    {
        using var console = new TestConsole();
        console.Profile.Width = width;
        console.Profile.Height = height;
        console.Profile.Capabilities.Unicode = false;
        console.Write(new ProgressView(console) { Lines = _board.Lines(Start.AddSeconds(at)) });
        return [.. console.Lines.Skip(1).Where(line => line.Length > 0)];
    }
}

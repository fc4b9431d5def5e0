using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Reporting.Report;

public sealed class ReportFilesTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private TemporaryDirectory _directory;
    private SecretMask _mask;

    [SetUp]
    public void Make()
    {
        _directory = new TemporaryDirectory();
        _mask = new SecretMask();
    }

    [TearDown]
    public void Delete() => _directory.Dispose();

    [Test]
    public void Should_Write_The_Page_And_The_Data()
    {
        var page = Files().Write(Run("Deploy"))!;

        Assert.That(File.ReadAllText(page), Does.StartWith("<!doctype html>").And.Contain("<title>Deploy succeeded</title>"));
        Assert.That(RunRecord.Read(File.ReadAllText(Path.Combine(Path.GetDirectoryName(page)!, "report.json"))).Target, Is.EqualTo("Deploy"));
    }

    [Test]
    public void Should_Hold_No_Secret()
    {
        _mask.Add(new Secret("<hunter2 & co>"));

        var page = Files().Write(Run("Deploy") with { ExitCode = 1, Failure = "bad password <hunter2 & co>" })!;

        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(page)!))
        {
            Assert.That(File.ReadAllText(file), Does.Not.Contain("hunter2").And.Contain("***"), file);
        }
    }

    [Test]
    public void Should_Keep_The_Newest_Runs_Only()
    {
        var files = Files();
        for (var minute = 0; minute < ReportFiles.Kept + 5; minute++)
        {
            files.Write(Run("Deploy") with { StartedAt = Start.AddMinutes(minute) });
        }

        var kept = Directory.GetDirectories(Path.Combine(_directory.Path, "artifacts")).Select(Path.GetFileName).Order().ToList();
        Assert.That(kept, Has.Count.EqualTo(ReportFiles.Kept));
        Assert.That(kept[0], Is.EqualTo("run-20260301-120500"));
    }

    [Test]
    public void Should_Keep_The_Evidence_Of_The_Newest_Releases_Only()
    {
        foreach (var number in Enumerable.Range(1, 105))
        {
            Directory.CreateDirectory(Path.Combine(_directory.Path, "artifacts", $"release-{number}"));
        }

        Files().Write(Run("Deploy"));

        var kept = Directory.GetDirectories(Path.Combine(_directory.Path, "artifacts"), "release-*").Select(Path.GetFileName);
        Assert.That(kept, Is.EquivalentTo(Enumerable.Range(86, 20).Select(number => $"release-{number}")));
    }

    [Test]
    public void Should_Give_Two_Runs_Of_The_Same_Second_Folders_Of_Their_Own()
    {
        var files = Files();
        var first = files.Write(Run("Deploy"));

        Assert.That(files.Write(Run("Deploy")), Is.Not.EqualTo(first));
    }

    [Test]
    public void Should_Write_Nothing_When_Every_Task_Leaves_No_Report()
    {
        Assert.That(Files().Write(Run("Show")), Is.Null);
        Assert.That(Directory.Exists(Path.Combine(_directory.Path, "artifacts")), Is.False);
    }

    private ReportFiles Files() =>
        new(new RunOptions { Root = _directory.Path, SettingsFile = "deploy.yaml" }, [new Deploy(), new Show()], _mask);

    private static RunRecord Run(string task) => new()
    {
        Target = task,
        StartedAt = Start,
        EndedAt = Start.AddSeconds(5),
        ExitCode = 0,
        Tasks = [new(task, "Succeeded", Start, 5, null, [], 0)],
    };

    private sealed class Deploy : FrostingTask;

    [LeavesNoReport]
    private sealed class Show : FrostingTask;
}

using Cake.K3s.Reporting.Report;

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>The sample broken on purpose, in every way that an app breaks: the right task says so, and the last good release serves on.</summary>
public sealed class BrokenSampleTests
{
    private SampleApp _app = null!;
    private string _output = "";

    [OneTimeSetUp]
    public async Task DeploySample() => _app = await SampleApp.DeployedAsync();

    [OneTimeTearDown]
    public async Task RemoveSample()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    [TearDown]
    public async Task PutFilesBack()
    {
        if (_app is not null)
        {
            await _app.RestoreAsync();
        }
    }

    [Test]
    public void Should_Leave_A_Report_Whose_Timeline_Shows_Tasks_Side_By_Side()
    {
        var folder = Directory.GetDirectories(Path.Combine(_app.Root, "artifacts"), "run-*").Order(StringComparer.Ordinal).First();
        var run = RunRecord.Read(File.ReadAllText(Path.Combine(folder, ReportFiles.JsonName)));
        var tasks = run.Tasks.ToDictionary(task => task.Name);
        var build = tasks["BuildImage"];

        using (Assert.EnterMultipleScope())
        {
            foreach (var other in (TaskRecord[])[tasks["Lint"], tasks["Test"]])
            {
                Assert.That(other.StartedAt, Is.LessThan(build.StartedAt!.Value.AddSeconds(build.Seconds)), $"{other.Name} began after BuildImage had ended");
                Assert.That(build.StartedAt, Is.LessThan(other.StartedAt!.Value.AddSeconds(other.Seconds)), $"BuildImage began after {other.Name} had ended");
            }

            Assert.That(run.Tasks.Select(task => task.State), Is.All.EqualTo("Succeeded"));
            Assert.That(run.Images.Select(image => (image.Name, image.SignedNow)), Is.SupersetOf([("admin", true), ("api", true), ("worker", true)]));
            Assert.That(run.Changes, Is.Not.Empty);
            Assert.That(run.Release?.State, Is.EqualTo("Verified"));
            Assert.That(run.Workloads.SelectMany(workload => workload.Pods), Is.Not.Empty);
            Assert.That(File.ReadAllText(Path.Combine(folder, ReportFiles.PageName)), Does.Contain("<title>Deploy succeeded</title>"));
        }
    }

    [Test]
    public async Task Should_Fail_In_BuildImage_When_The_Dockerfile_Is_Wrong()
    {
        _app.Replace("samples/honeydue/api/Dockerfile", "COPY out/ .", "COPY missing/ .");

        await ExpectFailureAsync("BuildImage", "missing", "--target=Deploy");
    }

    [Test]
    public async Task Should_Fail_In_Test_When_A_Test_Fails()
    {
        _app.Replace("deploy.yaml", "- test -d samples/honeydue/tests", "- dotnet test samples/honeydue/tests --nologo");
        _app.Replace("samples/honeydue/tests/ConnectionUrlTests.cs", "Is.EqualTo(5432)", "Is.EqualTo(5433)");

        await ExpectFailureAsync("Test", "Expected: 5433", "--target=Deploy");
    }

    [Test]
    public async Task Should_Fail_In_Migrate_When_The_Migration_Throws()
    {
        _app.Write("samples/honeydue/api/Migrations/0003_wrong.sql", "SELECT nothing FROM nowhere;\n");

        await ExpectFailureAsync("Migrate", "relation \"nowhere\" does not exist", "--target=Deploy");
    }

    [Test]
    public async Task Should_Fail_In_VerifyRollout_When_The_App_Exits_At_Once()
    {
        _app.Replace("samples/honeydue/api/Program.cs", "var builder = ", "if (args.Length == 0)\n{\n    Console.WriteLine(\"no licence\");\n    return 7;\n}\n\nvar builder = ");

        await ExpectFailureAsync("VerifyRollout", "no licence", "--target=Deploy");

        Assert.That(_output, Does.Match(@"(?m)^Next: .*kubectl ").And.Match(@"export KUBECONFIG=/.*\.sandbox/kubeconfig"), "what to type reaches the sandbox");
    }

    [Test]
    public async Task Should_Fail_In_VerifyRollout_When_The_App_Never_Gets_Ready()
    {
        _app.Replace("samples/honeydue/api/Program.cs", "statusCode: healthy ? StatusCodes.Status200OK", "statusCode: healthy ? StatusCodes.Status500InternalServerError");
        _app.Replace("manifests/app/api.yaml", "failureThreshold: 60", "failureThreshold: 8");

        await ExpectFailureAsync("VerifyRollout", "statuscode: 500", "--target=Deploy");
    }

    private async Task ExpectFailureAsync(string task, string message, params string[] arguments)
    {
        using var watching = new CancellationTokenSource();
        var polling = FailedRequestsAsync(watching.Token);

        var run = await _app.RunAsync(arguments);
        _output = run.Output;
        await watching.CancelAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(run.Output, Does.Match($"(?m)^{task} .* Failed"));
            Assert.That(run.Output, Does.Contain(message));
            Assert.That(run.Output, Does.Match("(?m)^Next: "));
            Assert.That(await polling, Is.Empty, "the last good release stopped serving");
        }
    }

    // Asks all the time; what matters is that none of the answers is bad.
    private async Task<IReadOnlyList<string>> FailedRequestsAsync(CancellationToken stop)
    {
        var failures = new List<string>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (await _app.StatusAsync() is not 200 and var status)
                {
                    failures.Add($"{status}");
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                failures.Add(failure.Message);
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return failures;
    }
}

using System.Text.RegularExpressions;

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>kill -9 of the host in each task; the same command again converges.</summary>
public sealed class KilledHostTests
{
    private SampleApp _app = null!;

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

    [TestCase("Test")]
    [TestCase("BuildImage")]
    [TestCase("Sign")]
    [TestCase("Push")]
    [TestCase("Migrate")]
    [TestCase("Deploy")]
    [TestCase("VerifyRollout")]
    public async Task Should_Converge_When_The_Host_Was_Killed_In(string task)
    {
        // A change, so that every task has something to do.
        var page = $"<h1>honeyDue after {task}</h1>";
        await _app.RestoreAsync();
        _app.Replace("samples/honeydue/admin/Program.cs", "<h1>honeyDue</h1>", page);

        var killed = await _app.KillAtAsync(new Regex($"(?m)^{task}$"), "--target=Deploy", "--sequential");
        var again = await _app.RunAsync("--target=Deploy");
        var history = await _app.RunAsync("--target=History");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(killed, Is.True, $"{task} was not reached");
            Assert.That(again.ExitCode, Is.Zero, again.Output);
            Assert.That(await _app.StatusAsync(), Is.EqualTo(200));
            Assert.That(history.Output, Does.Not.Match("(?i)pending|applied "), "a release was left half done");
        }
    }
}

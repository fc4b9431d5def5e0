using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cake.Frosting;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Hardening;

public sealed class RoadmapTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 6, 7, 8, 9, TimeSpan.Zero);

    [Test]
    public void Should_show_the_worst_of_what_was_found_and_when_it_was_proved()
    {
        var item = RoadmapTable.Of(
            new FakeControl("SshPort"), [Found("a", ControlState.InPlace), Found("b", ControlState.Drifted), Found("c", ControlState.Drifted)], Now);

        Assert.That(RoadmapTable.Lines([item], verbose: false), Is.EqualTo(new[]
        {
            "ITEM     WHERE" + new string(' ', Math.Max(item.Kind.Length, 5) - 5) + "  STATE    LAST PROVED  WHAT IS",
            $"SshPort  {item.Kind.PadRight(5)}  drifted  2026-05-06   b: b is Drifted (and 1 more)",
        }));
    }

    [Test]
    public void Should_say_what_was_real_When_it_is_verbose()
    {
        var item = new RoadmapItem("Backups", "cluster", "in place", "fine", null, ["proved for real: Postgres", "against a stand-in: -"]);

        Assert.That(RoadmapTable.Lines([item], verbose: true).Skip(2), Is.EqualTo(new[] { "    proved for real: Postgres", "    against a stand-in: -" }));
        Assert.That(RoadmapTable.Lines([item], verbose: false).Count(), Is.EqualTo(2));
    }

    [Test]
    public void Should_remember_what_was_proved_and_live_with_a_spoiled_file()
    {
        using var directory = new TemporaryDirectory();
        var log = Log(directory);

        log.Write("SshPort");
        log.Write("Backup");
        var read = log.Read();
        directory.Write("artifacts/audit/test.proofs.json", "{\"SshPort\": ");

        Assert.That(read, Is.EquivalentTo(new Dictionary<string, DateTimeOffset> { ["SshPort"] = Now, ["Backup"] = Now }));
        Assert.That(log.Read(), Is.Empty);
    }

    // What the roadmap that this project was made from asks for. Contingency has four answers.
    [TestCase("NetworkPolicies TraefikMiddleware OriginTls RedisPassword SignedImages ExternalSecrets MigrationJob Backups Uptime Monitoring Logs Tracing EdgeCache LoadBalancer Reboots")]
    [TestCase("Backup Restore RestoreDrill ScalingReport Regions CleanUp MirrorImages SwitchDatabase Export")]
    public void Should_have_a_row_for_every_item_of_the_roadmap(string items)
    {
        var controls = Types.Where(typeof(IControl).IsAssignableFrom).Select(type => type.Name[..^"Control".Length]);

        Assert.That(items.Split(' ').Except(controls).Except(RoadmapReport.Operations(Tasks).Select(target => target.Name)), Is.Empty);
    }

    [Test]
    public void Should_count_nothing_as_done_that_was_only_shown()
    {
        var options = new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", Environment = "test" };
        var shown = RoadmapReport.Done(Tasks, options with { Confirm = true }).Except(RoadmapReport.Done(Tasks, options));
        var confirms = Switches.All.Single(item => item.Name == Switches.Confirm).Meaning.Split(':')[0].Split(", ");

        Assert.That(shown, Is.EquivalentTo(confirms));
    }

    [Test]
    public void Should_remember_when_an_operation_ended_well_and_nothing_else()
    {
        using var directory = new TemporaryDirectory();
        var (run, log) = (RunIn(directory), Log(directory));
        Assert.That(run.Settings.App, Is.EqualTo("shop"), "without settings no operation of an environment was done");
        var done = new OperationsDone(new(() => run), new(() => log), () => new HashSet<string> { "Export", "Restore" });

        done.Observe(new TaskEnded("Export", TaskOutcome.Succeeded, TimeSpan.Zero, null));
        done.Observe(new TaskEnded("Restore", TaskOutcome.Failed, TimeSpan.Zero, null));
        done.Observe(new TaskEnded("Setup", TaskOutcome.Succeeded, TimeSpan.Zero, null));
        Assert.That(log.Read(), Is.Empty, "the run has not ended");
        done.Observe(new RunEnded(1, "the restore failed", null, []));

        Assert.That(log.Read(), Is.EquivalentTo(new Dictionary<string, DateTimeOffset> { ["Export"] = Now }));
    }

    private static IEnumerable<Type> Types => typeof(RoadmapReport).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false });

    private static IEnumerable<IFrostingTask> Tasks =>
        Types.Where(typeof(IFrostingTask).IsAssignableFrom).Select(type => (IFrostingTask)RuntimeHelpers.GetUninitializedObject(type));

    private static Finding Found(string target, ControlState state) => new("SshPort", target, state, $"{target} is {state}", []);

    private static ProofLog Log(TemporaryDirectory directory) => new(RunIn(directory), new FakeTimeProvider(Now));

    private static PipelineRun RunIn(TemporaryDirectory directory)
    {
        var settings = new DeploySettings
        {
            App = "shop",
            File = Path.Combine(directory.Path, "deploy.yaml"),
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", new() { Name = "test" }),
        };
        return new(new RunOptions { Root = directory.Path, SettingsFile = settings.File, Environment = "test" }, settings, null!);
    }
}

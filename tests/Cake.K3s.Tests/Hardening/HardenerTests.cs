using System.Collections.Immutable;
using Cake.K3s.Hardening;
using Cake.K3s.Hosting;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Hardening;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HardenerTests
{
    private readonly RecordingReporter _reporter = new();
    private readonly List<string> _proved = [];
    private readonly FakeControl _first = new("First");
    private readonly FakeControl _second = new("Second");

    [Test]
    public async Task Should_ApplyAndProveEachInOrder_When_AllAreHardened()
    {
        await Hardener().HardenAllAsync();

        Assert.That(_first.Calls.Concat(_second.Calls), Is.EqualTo(new[] { "apply", "verify", "apply", "verify" }));
        Assert.That(_reporter.Lines, Has.Some.EqualTo("2 changes made and proved"));
    }

    [Test]
    public async Task Should_RememberWhatWasProved_When_AllAreHardened()
    {
        await Hardener().HardenAllAsync();

        Assert.That(_proved, Is.EqualTo(new[] { "First", "Second" }));
    }

    [Test]
    public async Task Should_SayThatNothingChanged_When_HardenedAgain()
    {
        await Hardener().HardenAllAsync();
        await Hardener().HardenAllAsync();

        Assert.That(_reporter.Lines[^1], Is.EqualTo("all controls are in place, nothing changed"));
    }

    [Test]
    public async Task Should_KeepTheOrder_When_ControlsAreNamedInAnother()
    {
        var third = new FakeControl("Third");
        await Hardener([_first, _second, third], named: ["third", "First"]).HardenAllAsync();

        Assert.That(_proved, Is.EqualTo(new[] { "First", "Third" }));
        Assert.That(_second.Calls, Is.Empty);
    }

    [Test]
    public void Should_ChangeNothing_When_AControlIsNamedThatThereIsNot()
    {
        Assert.That(
            () => Hardener(named: ["First", "Secnd"]).HardenAllAsync(),
            Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(ExitCodes.BadInput).And.Property("NextStep").EqualTo("Did you mean 'Second'?"));
        Assert.That(_first.Calls, Is.Empty);
    }

    [Test]
    public async Task Should_OnlyPlan_When_ThePlanIsAskedFor()
    {
        await Hardener(showPlan: true).HardenAllAsync();

        Assert.That(_first.Calls.Concat(_second.Calls), Is.EqualTo(new[] { "plan", "plan" }));
    }

    [Test]
    public void Should_RefuseToApply_When_PlanNamesAFile()
    {
        Assert.That(() => Hardener(planFile: "/tmp/plan.json").HardenAllAsync(), Throws.TypeOf<K3sException>().With.Property("ExitCode").EqualTo(ExitCodes.BadInput));
        Assert.That(_first.Calls, Is.Empty);
    }

    [Test]
    public void Should_StopBeforeTheNextControl_When_TheEffectDoesNotShow()
    {
        var broken = new FakeControl("Broken") { Proof = ControlState.Missing };

        Assert.That(() => Hardener([broken, _second]).HardenAllAsync(), Throws.TypeOf<K3sException>().With.Property("NextStep").Contains("Undo-Broken"));
        Assert.That(_second.Calls, Is.Empty);
    }

    [Test]
    public async Task Should_ApplyTheNext_When_TheProofOfAHarmlessOneGoesOn()
    {
        var applied = new TaskCompletionSource();
        var slow = new FakeControl("Slow") { IsHarmless = true, MayProve = applied.Task };
        var next = new FakeControl("Next") { IsHarmless = true };
        var hardened = Hardener([slow, next, _first]).HardenAllAsync();

        Assert.That(next.Calls, Does.Contain("apply"));
        Assert.That(_first.Calls, Is.Empty, "what is not harmless waits for all proofs");
        applied.SetResult();
        await hardened;
        Assert.That(_proved, Is.EquivalentTo(new[] { "Slow", "Next", "First" }));
    }

    [Test]
    public void Should_WaitForTheProof_When_TheNextCannotBeApplied()
    {
        var proving = new TaskCompletionSource();
        var slow = new FakeControl("Slow") { IsHarmless = true, MayProve = proving.Task, Proof = ControlState.Missing };
        var broken = new FakeControl("Broken") { IsHarmless = true, ApplyFailure = new K3sException(ExitCodes.Failed, "no") };
        var hardened = Hardener([slow, broken, _first]).HardenAllAsync();

        Assert.That(hardened.IsCompleted, Is.False);
        proving.SetResult();
        Assert.That(() => hardened, Throws.TypeOf<K3sException>().With.Message.EqualTo("no"));
        Assert.That(_reporter.Lines, Has.Some.Contains("Slow is applied, and its effect does not show"));
        Assert.That(_first.Calls, Is.Empty);
    }

    [Test]
    public void Should_NameTheNearest_When_ThereIsNoSuchControl()
    {
        Assert.That(() => Hardener().HardenAsync("Secnod"), Throws.TypeOf<K3sException>().With.Property("NextStep").Contains("'Second'"));
    }

    [Test]
    public async Task Should_ProveWhatIsInPlaceAlready_When_TheProofIsAskedForAgain()
    {
        _first.State = ControlState.InPlace;

        await Hardener().HardenAsync("first");
        await Hardener(rerun: true).HardenAsync("first");

        Assert.That(_first.Calls, Is.EqualTo(new[] { "apply", "apply", "verify" }));
    }

    private Hardener Hardener(FakeControl[]? controls = null, bool showPlan = false, string? planFile = null, bool rerun = false, params ImmutableArray<string> named)
    {
        var options = new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", ShowPlan = showPlan, PlanFile = planFile, Rerun = rerun, Controls = named };
        return new Hardener(new PipelineRun(options, settings: null!, environment: null!), new ControlSet(controls ?? [_first, _second]), _reporter, _proved.Add);
    }
}

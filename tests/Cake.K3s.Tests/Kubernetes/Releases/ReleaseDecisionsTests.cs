using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Kubernetes.Releases;

public sealed class ReleaseDecisionsTests
{
    [Test]
    public void Should_BeginWithOne_When_NothingIsRecorded() =>
        Assert.That(ReleaseNumbering.Choose([], "x"), Is.EqualTo(new ReleaseChoice(1, null, null)));

    [TestCase(ReleaseState.Pending)]
    [TestCase(ReleaseState.Applied)]
    public void Should_TakeUpInterruptedRelease_When_ItIsTheSame(object state)
    {
        var interrupted = A.Release(4, (ReleaseState)state, "x");

        Assert.That(ReleaseNumbering.Choose([interrupted, A.Release(3)], "x"), Is.EqualTo(new ReleaseChoice(4, interrupted, null)));
    }

    [Test]
    public void Should_ReplaceInterruptedRelease_When_ItIsAnother()
    {
        var interrupted = A.Release(4, ReleaseState.Applied, "x");

        Assert.That(ReleaseNumbering.Choose([interrupted, A.Release(3)], "y"), Is.EqualTo(new ReleaseChoice(5, null, interrupted)));
    }

    [Test]
    public void Should_RecordNothingNew_When_NothingChanged()
    {
        var current = A.Release(4, ReleaseState.Verified, "x");

        Assert.That(ReleaseNumbering.Choose([current], "x"), Is.EqualTo(new ReleaseChoice(4, current, null)));
    }

    [Test]
    public void Should_GoBackToLastGood_When_NewerOneWasRolledBack()
    {
        var good = A.Release(4, ReleaseState.Verified, "x");

        Assert.That(ReleaseNumbering.Choose([A.Release(5, ReleaseState.RolledBack, "y"), good], "x"), Is.EqualTo(new ReleaseChoice(4, good, null)));
    }

    [Test]
    public void Should_MakeNewRelease_When_FailedOneIsStillInCluster() =>
        Assert.That(
            ReleaseNumbering.Choose([A.Release(5, ReleaseState.Failed, "y"), A.Release(4, ReleaseState.Verified, "x")], "x").Number,
            Is.EqualTo(6));

    [Test]
    public void Should_TryAgainUnderNewNumber_When_SameContentWasRolledBack() =>
        Assert.That(
            ReleaseNumbering.Choose([A.Release(5, ReleaseState.RolledBack, "y"), A.Release(4, ReleaseState.Verified, "x")], "y"),
            Is.EqualTo(new ReleaseChoice(6, null, null)));

    [Test]
    public void Should_AllowRollback_When_MigrationsSinceOnlyAdded()
    {
        var target = A.Release(1, schema: "1");

        Assert.That(SchemaCompatibility.Obstacle([A.Release(3, schema: "3"), A.Release(2, schema: "2"), target], target), Is.Null);
    }

    [Test]
    public void Should_RefuseRollback_When_MigrationSinceRemovedSomething()
    {
        var target = A.Release(1, schema: "1");
        var contract = A.Release(2, schema: "2") with { SchemaChange = SchemaChange.Contract };

        Assert.That(SchemaCompatibility.Obstacle([A.Release(3, schema: "2"), contract, target], target), Does.Contain("release 2").And.Contain("from 1 to 2"));
    }

    [Test]
    public void Should_AllowRollback_When_ContractingReleaseDidNotChangeSchema()
    {
        var target = A.Release(1, schema: "1");
        var contract = A.Release(2, schema: "1") with { SchemaChange = SchemaChange.Contract };

        Assert.That(SchemaCompatibility.Obstacle([contract, target], target), Is.Null);
    }
}

using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.Tests.Kubernetes.Releases;

public sealed class ReleaseStoreTests
{
    private InMemoryApi _server = null!;
    private ClusterApi _api = null!;
    private ReleaseStore _store = null!;

    [SetUp]
    public void Open()
    {
        _server = new();
        _api = _server.Open();
        _store = new(_api, "honeydue");
    }

    [TearDown]
    public void Close() => _api.Dispose();

    [Test]
    public async Task Should_ReadBackRecordAndManifests_When_ReleaseIsCreated()
    {
        var release = A.Release(3) with { Commit = "abc", SchemaVersion = "7", Images = A.Release(3).Images.Add("api", "reg/api@sha256:1") };

        await _store.CreateAsync(release, [A.Map("one", "1"), A.Map("two", "2")], default);

        var read = (await _store.ListAsync(default)).Single();
        Assert.That(read with { Images = release.Images, ResourceVersion = null }, Is.EqualTo(release));
        Assert.That(read.Images, Is.EqualTo(release.Images));
        var manifests = await _store.ReadManifestsAsync(read, default);
        Assert.That(manifests.Select(manifest => manifest.ObjectName()), Is.EqualTo(["one", "two"]));
    }

    [Test]
    public async Task Should_SplitManifests_When_TheyOutgrowOneObject()
    {
        var random = new Random(1);
        var manifests = Enumerable.Range(0, 25).Select(i => A.Map($"map-{i}", Noise(random, 100_000))).ToArray();

        await _store.CreateAsync(A.Release(1), manifests, default);

        var parts = _server.All("secrets").Where(secret => secret.Label("cake.k3s/part") != "record").ToList();
        Assert.That(parts, Has.Count.GreaterThan(1));
        Assert.That(parts.Max(part => Convert.FromBase64String(part.Text("data", "release")!).Length), Is.LessThanOrEqualTo(ReleaseContent.LargestPart));
        Assert.That((await _store.ReadManifestsAsync(A.Release(1), default)).Select(node => node.ToJsonString()), Is.EqualTo(manifests.Select(node => node.ToJsonString())));
    }

    [Test]
    public async Task Should_NotListRelease_When_RunDiedBeforeItsRecordWasWritten()
    {
        _server.BeforeWrite = write => ThrowIf(write.EndsWith("secrets", StringComparison.Ordinal) && _server.Writes.Count == 1);
        Assert.That(() => _store.CreateAsync(A.Release(1), [A.Map("one", "1")], default), Throws.Exception);
        Assert.That(await _store.ListAsync(default), Is.Empty);

        _server.BeforeWrite = _ => { };
        await _store.CreateAsync(A.Release(1), [A.Map("two", "2")], default);

        Assert.That((await _store.ReadManifestsAsync(A.Release(1), default)).Single().ObjectName(), Is.EqualTo("two"));
        Assert.That(_server.All("secrets"), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Should_KeepNewestAndLastGood_When_Pruned()
    {
        foreach (var number in Enumerable.Range(1, 5))
        {
            await _store.CreateAsync(A.Release(number, number == 2 ? ReleaseState.Verified : ReleaseState.RolledBack), [A.Map("m", "1")], default);
        }

        Assert.That(await _store.PruneAsync(2, default), Is.EquivalentTo([1, 3]));
        Assert.That((await _store.ListAsync(default)).Select(release => release.Number), Is.EqualTo([5, 4, 2]));
        Assert.That(_server.All("secrets"), Has.Count.EqualTo(6));
    }

    [Test]
    public async Task Should_WriteOverItsOwnVersion_When_UpdatedAgain()
    {
        var release = await _store.CreateAsync(A.Release(1, ReleaseState.Pending), [A.Map("m", "1")], default);

        release = await _store.UpdateAsync(release with { State = ReleaseState.Applied }, default);
        await _store.UpdateAsync(release with { State = ReleaseState.Verified }, default);

        Assert.That((await _store.ListAsync(default)).Single().State, Is.EqualTo(ReleaseState.Verified));
    }

    [Test]
    public async Task Should_NotWriteOverAnotherRun_When_RecordHasChangedSinceItWasRead()
    {
        await _store.CreateAsync(A.Release(1, ReleaseState.Pending), [A.Map("m", "1")], default);
        var mine = (await _store.ListAsync(default)).Single();
        var theirs = (await _store.ListAsync(default)).Single();
        await _store.UpdateAsync(theirs with { State = ReleaseState.Superseded }, default);

        Assert.That(
            () => _store.UpdateAsync(mine with { State = ReleaseState.Verified }, default),
            Throws.TypeOf<K3sException>().With.Property("Summary").EqualTo("release 1 was not noted as Verified: another run has changed its record meanwhile"));
        Assert.That((await _store.ListAsync(default)).Single().State, Is.EqualTo(ReleaseState.Superseded));
    }

    [Test]
    public async Task Should_NotBringItBack_When_AnotherRunHasDeletedTheRecord()
    {
        var release = await _store.CreateAsync(A.Release(1), [A.Map("m", "1")], default);
        await _store.CreateAsync(A.Release(2), [A.Map("m", "1")], default);
        await _store.PruneAsync(1, default);

        Assert.That(() => _store.UpdateAsync(release, default), Throws.TypeOf<K3sException>().With.Message.Contains("another run has changed its record"));
        Assert.That((await _store.ListAsync(default)).Select(kept => kept.Number), Is.EqualTo([2]));
    }

    [Test]
    public async Task Should_LeaveOtherAppsAlone_When_TheyShareNamespace()
    {
        await _store.CreateAsync(A.Release(1), [A.Map("m", "1")], default);

        Assert.That(await new ReleaseStore(_api, "other").ListAsync(default), Is.Empty);
    }

    [Test]
    public async Task Should_NameSecret_When_RecordIsDamaged()
    {
        await _store.CreateAsync(A.Release(1), [A.Map("m", "1")], default);
        _server.Change("secrets", "cake-k3s.honeydue.v1.record", secret => secret["data"]!["release"] = "bm90IGpzb24=");

        Assert.That(() => _store.ListAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("Secret/cake-k3s.honeydue.v1.record"));
    }

    [Test]
    public void Should_HashTheSame_When_OnlyOrderDiffers()
    {
        var one = JsonNode.Parse("""{"a":1,"b":{"c":[1,2],"d":null}}""")!.AsObject();
        var same = JsonNode.Parse("""{"b":{"d":null,"c":[1,2]},"a":1}""")!.AsObject();
        var other = JsonNode.Parse("""{"a":1,"b":{"c":[2,1],"d":null}}""")!.AsObject();

        Assert.That(ReleaseContent.Hash([one, A.Map("m", "1")]), Is.EqualTo(ReleaseContent.Hash([A.Map("m", "1"), same])));
        Assert.That(ReleaseContent.Hash([one]), Is.Not.EqualTo(ReleaseContent.Hash([other])));
    }

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("the run is killed");
        }
    }

    private static string Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return Convert.ToBase64String(bytes);
    }
}

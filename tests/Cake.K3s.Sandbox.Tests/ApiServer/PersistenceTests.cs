using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class PersistenceTests
{
    private string _state = "";

    [SetUp]
    public void MakeState() => _state = Directory.CreateTempSubdirectory("apiserver-").FullName;

    [TearDown]
    public void RemoveState() => Directory.Delete(_state, recursive: true);

    [Test]
    public async Task Should_know_everything_again_When_it_is_started_anew()
    {
        string version;
        await using (var api = await TestApi.StartAsync(_state))
        {
            await api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("kept"));
            await api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("gone"));
            await api.DeleteAsync(Samples.ConfigMaps + "/gone");
            version = (await api.PatchAsync(Samples.ConfigMaps + "/kept", """{"data":{"a":"2"}}""")).Version;
        }

        await using var again = await TestApi.StartAsync(_state);
        var kept = await again.GetAsync(Samples.ConfigMaps + "/kept");
        var gone = await again.GetAsync(Samples.ConfigMaps + "/gone");
        var next = await again.PatchAsync(Samples.ConfigMaps + "/kept", """{"data":{"a":"3"}}""");

        Assert.Multiple(() =>
        {
            Assert.That((kept["data.a"], kept.Version), Is.EqualTo(("2", version)));
            Assert.That(gone.Code, Is.EqualTo(404));
            Assert.That(next.Revision, Is.GreaterThan(kept.Revision));
        });
    }

    [Test]
    public async Task Should_drop_only_the_torn_record_When_a_kill_cut_the_last_write()
    {
        await using (var api = await TestApi.StartAsync(_state))
        {
            await api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("first"));
            await api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("second"));
        }

        var journal = Path.Combine(_state, "objects.journal");
        using (var file = new FileStream(journal, FileMode.Open))
        {
            file.SetLength(file.Length - 5);
        }

        await using var again = await TestApi.StartAsync(_state);
        var first = await again.GetAsync(Samples.ConfigMaps + "/first");
        var second = await again.GetAsync(Samples.ConfigMaps + "/second");
        var retried = await again.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("second"));

        Assert.That((first.Code, second.Code, retried.Code), Is.EqualTo((200, 404, 201)));
    }

    [Test]
    public async Task Should_refuse_to_start_When_another_process_has_the_state()
    {
        await using var api = await TestApi.StartAsync(_state);

        Assert.That(async () => await TestApi.StartAsync(_state), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void Should_stay_small_When_one_object_is_written_again_and_again()
    {
        using var store = new ObjectStore(new ApiServerOptions { StateDirectory = _state });
        var key = new ObjectKey("configmaps", "default", "a");
        var filling = new string('x', 100_000);
        var last = store.Create(key, Value(0))!;
        for (var at = 1; at < 1000; at++)
        {
            last = store.Update(last, Value(at))!;
        }

        Assert.Multiple(() =>
        {
            Assert.That(new FileInfo(Path.Combine(_state, "objects.journal")).Length, Is.LessThan(40 << 20));
            Assert.That(store.Find(key)!.ReadObject().Text("at"), Is.EqualTo("999"));
        });

        System.Text.Json.Nodes.JsonObject Value(int at) => new() { ["at"] = $"{at}", ["filling"] = filling };
    }
}

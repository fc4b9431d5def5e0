namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class GarbageCollectionTests
{
    private const string Owner = Samples.ConfigMaps + "/owner";
    private const string Child = Samples.ConfigMaps + "/child";

    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = await TestApi.StartAsync();
        var owner = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("owner"));
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("child", metadata:
            $$""","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{owner["metadata.uid"]}}","blockOwnerDeletion":true}]"""));
    }

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_delete_the_dependents_afterwards_When_the_owner_is_deleted_in_the_background()
    {
        await _api.DeleteAsync(Owner);
        var owner = await _api.GetAsync(Owner);
        await _api.EventuallyAsync(Child, answer => answer.Code == 404);

        Assert.That(owner.Code, Is.EqualTo(404));
    }

    [Test]
    public async Task Should_hold_the_owner_until_the_dependents_are_gone_When_it_is_deleted_in_the_foreground()
    {
        await _api.PatchAsync(Child, """{"metadata":{"finalizers":["example.com/hold"]}}""");
        await _api.DeleteAsync(Owner, """{"propagationPolicy":"Foreground"}""");
        await _api.EventuallyAsync(Child, answer => answer["metadata.deletionTimestamp"] is not null);
        var held = await _api.GetAsync(Owner);
        await _api.PatchAsync(Child, """{"metadata":{"finalizers":null}}""");
        await _api.EventuallyAsync(Owner, answer => answer.Code == 404);

        Assert.That(held["metadata.finalizers.0"], Is.EqualTo("foregroundDeletion"));
    }

    [Test]
    public async Task Should_leave_the_dependents_When_the_owner_is_deleted_and_orphans_them()
    {
        await _api.DeleteAsync(Owner + "?propagationPolicy=Orphan");
        await _api.EventuallyAsync(Owner, answer => answer.Code == 404);
        var child = await _api.GetAsync(Child);

        Assert.That((child.Code, child["metadata.ownerReferences"]), Is.EqualTo((200, (string?)null)));
    }

    [Test]
    public async Task Should_delete_an_object_When_its_owner_never_was()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("lost", metadata:
            ""","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"nobody","uid":"1b4e28ba-2fa1-11d2-883f-0016d3cca427"}]"""));

        await _api.EventuallyAsync(Samples.ConfigMaps + "/lost", answer => answer.Code == 404);
    }
}

using System.Collections.Immutable;
using Cake.K3s.Images;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Images;

internal sealed class ReleaseImagesTests
{
    private static readonly Digest First = Digest.Of("first"u8);
    private static readonly Digest Second = Digest.Of("second"u8);

    private TemporaryDirectory _directory;

    [SetUp]
    public void MakeDirectory() => _directory = new();

    [TearDown]
    public void RemoveDirectory() => _directory.Dispose();

    [Test]
    public void Should_give_the_image_by_digest_When_it_is_pushed()
    {
        Artifacts.Write(Build(First));
        Artifacts.Write(Push(First));

        Assert.That(Read()["api"], Is.EqualTo($"registry.example/shop/api@{First}"));
    }

    [Test]
    public void Should_name_the_image_and_the_task_to_run_When_it_is_not_pushed()
    {
        Artifacts.Write(Build(First));

        Assert.That(Read, Throws.TypeOf<K3sException>().With.Message.Contains("image api is not pushed").And.Message.Contains("--target=Push --environment=test"));
    }

    [Test]
    public void Should_refuse_When_it_was_built_again_since_it_was_pushed()
    {
        Artifacts.Write(Push(First));
        Artifacts.Write(Build(Second));

        Assert.That(Read, Throws.TypeOf<K3sException>().With.Message.Contains("built again"));
    }

    [Test]
    public void Should_refuse_When_it_was_pushed_to_another_registry()
    {
        Artifacts.Write(Build(First));
        Artifacts.Write(Push(First) with { Repository = "127.0.0.1:5000/api" });

        Assert.That(Read, Throws.TypeOf<K3sException>().With.Message.Contains("127.0.0.1:5000/api, not to registry.example/shop/api"));
    }

    private ImageArtifacts Artifacts => new(_directory.Path, "api");

    private static BuildRecord Build(Digest digest) =>
        new() { Image = "api", Repository = "registry.example/shop/api", Digest = digest, ContentKey = "1", Time = DateTimeOffset.UnixEpoch };

    private static PushRecord Push(Digest digest) =>
        new() { Image = "api", Repository = "registry.example/shop/api", Digest = digest, ContentKey = "1", Time = DateTimeOffset.UnixEpoch };

    private ImmutableDictionary<string, string> Read() => ReleaseImages.Read(
        _directory.Path,
        new() { App = "shop", Images = ImmutableDictionary<string, ImageSettings>.Empty.Add("api", new() { Context = "api" }), Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty },
        new()
        {
            Name = "test",
            Settings = new(),
            Cluster = new("", null, "shop"),
            Registry = new("registry.example", "shop", false, ""),
            Builder = new(null, null),
            SigningKey = new("", "", null),
        });
}

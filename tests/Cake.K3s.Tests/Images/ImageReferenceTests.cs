using Cake.K3s.Images;

namespace Cake.K3s.Tests.Images;

internal sealed class ImageReferenceTests
{
    private const string Hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [TestCase("debian", "docker.io", "library/debian", null)]
    [TestCase("debian:13", "docker.io", "library/debian", "13")]
    [TestCase("me/app:v1", "docker.io", "me/app", "v1")]
    [TestCase("docker.io/redis", "docker.io", "library/redis", null)]
    [TestCase("index.docker.io/library/redis:7", "docker.io", "library/redis", "7")]
    [TestCase("localhost/app", "localhost", "app", null)]
    [TestCase("127.0.0.1:5000/shop/api:key-1", "127.0.0.1:5000", "shop/api", "key-1")]
    [TestCase("gitea.example.com/me/honey_due/api", "gitea.example.com", "me/honey_due/api", null)]
    public void Should_read_a_reference_as_Docker_does(string text, string registry, string repository, string? tag) =>
        Assert.That(ImageReference.Parse(text), Is.EqualTo(new ImageReference(registry, repository, tag)));

    [Test]
    public void Should_keep_the_digest_and_the_tag_When_both_are_given()
    {
        var reference = ImageReference.Parse($"a.example/b:1@{Hash}");

        Assert.That((reference.Tag, reference.Digest?.ToString(), reference.TagOrDigest), Is.EqualTo(("1", Hash, Hash)));
        Assert.That(reference.ToString(), Is.EqualTo($"a.example/b:1@{Hash}"));
    }

    [TestCase("Debian")]
    [TestCase("")]
    [TestCase("a.example/")]
    [TestCase("a.example/b:")]
    [TestCase("a.example/b@sha256:12")]
    [TestCase("a.example/b c")]
    public void Should_refuse_what_is_no_reference(string text) => Assert.That(() => ImageReference.Parse(text), Throws.TypeOf<FormatException>());
}

using Cake.K3s.Images;
using Cake.K3s.Images.Pruning;

namespace Cake.K3s.Tests.Images.Pruning;

internal sealed class PrunePlanTests
{
    private const string Key = "key-0123456789abcdef0123456789abcdef";
    private static readonly Digest Image = Digest.Of("image"u8);
    private static readonly Digest Signature = Digest.Of("signature"u8);
    private static readonly Dictionary<Digest, string> Unused = [];

    [Test]
    public void Should_let_an_unused_image_go_with_all_its_tags_and_its_signature()
    {
        var plan = PrunePlan.Of(Tags((Key, Image), ("sha-0123456789ab", Image), (LegacySignature.TagOf(Image), Signature)), Unused);

        Assert.That(plan, Has.Length.EqualTo(1));
        Assert.That(plan[0].KeptBecause, Is.Null);
        Assert.That(plan[0].Tags, Is.EqualTo(new[] { Key, "sha-0123456789ab" }));
        Assert.That(plan[0].Companions.Single().Digest, Is.EqualTo(Signature));
    }

    [Test]
    public void Should_keep_an_image_that_is_in_use() =>
        Assert.That(PrunePlan.Of(Tags((Key, Image)), new Dictionary<Digest, string> { [Image] = "production runs it" })[0].KeptBecause, Is.EqualTo("production runs it"));

    [TestCase("latest")]
    [TestCase("v1.2")]
    [TestCase("key-production")]
    public void Should_keep_an_image_that_somebody_else_has_tagged(string tag) =>
        Assert.That(PrunePlan.Of(Tags((Key, Image), (tag, Image)), Unused)[0].KeptBecause, Does.Contain(tag));

    [Test]
    public void Should_find_an_image_without_a_tag_by_its_signature()
    {
        var plan = PrunePlan.Of(Tags((LegacySignature.TagOf(Image), Signature)), Unused);

        Assert.That(plan.Single().Digest, Is.EqualTo(Image));
        Assert.That(plan.Single().Tags, Is.Empty);
    }

    [Test]
    public void Should_never_take_a_signature_for_an_image() =>
        Assert.That(PrunePlan.Of(Tags((Key, Image), (LegacySignature.TagOf(Image), Signature)), Unused).Select(entry => entry.Digest), Has.No.Member(Signature));

    private static Dictionary<string, Digest> Tags(params (string Tag, Digest Digest)[] tags) => tags.ToDictionary(tag => tag.Tag, tag => tag.Digest);
}

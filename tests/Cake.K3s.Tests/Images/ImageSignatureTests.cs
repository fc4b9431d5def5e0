using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Images;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Images;

internal sealed class ImageSignatureTests
{
    private const string Repository = "registry.example/shop/api";
    private static readonly Digest Image = Digest.Of("image"u8);

    private TemporaryDirectory _directory;
    private ECDsa _key;

    [SetUp]
    public void MakeKey()
    {
        _directory = new();
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    }

    [TearDown]
    public void DropKey()
    {
        _key.Dispose();
        _directory.Dispose();
    }

    [Test]
    public void Should_write_the_payload_that_cosign_writes() =>
        Assert.That(
            Encoding.UTF8.GetString(SimpleSigning.Payload(Repository, Image)),
            Is.EqualTo($$$"""{"critical":{"identity":{"docker-reference":"{{{Repository}}}"},"image":{"docker-manifest-digest":"{{{Image}}}"},"type":"cosign container image signature"},"optional":null}"""));

    [Test]
    public void Should_verify_When_key_and_image_are_the_right_ones() => Assert.That(Sign().Verifies(Image, Read(_key)), Is.True);

    [Test]
    public void Should_verify_When_one_of_several_keys_is_the_right_one()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.That(Sign().Verifies(Image, Read(other), Read(_key)), Is.True);
    }

    [Test]
    public void Should_not_verify_When_the_key_is_another()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.That(Sign().Verifies(Image, Read(other)), Is.False);
    }

    [Test]
    public void Should_not_verify_When_the_image_is_another() => Assert.That(Sign().Verifies(Digest.Of("other"u8), Read(_key)), Is.False);

    [Test]
    public void Should_not_verify_When_the_payload_was_changed()
    {
        var signature = Sign();

        Assert.That((signature with { Payload = SimpleSigning.Payload("elsewhere.example/api", Image) }).Verifies(Image, Read(_key)), Is.False);
    }

    [TestCase("not base64!")]
    [TestCase("")]
    [TestCase("AAAA")]
    public void Should_not_verify_When_the_signature_is_none(string signature) =>
        Assert.That((Sign() with { Signature = signature }).Verifies(Image, Read(_key)), Is.False);

    [TestCase("{}")]
    [TestCase("[1]")]
    [TestCase("null")]
    [TestCase("{\"critical\":{}}")]
    public void Should_not_verify_When_the_payload_is_signed_but_none(string payload)
    {
        var bytes = Encoding.UTF8.GetBytes(payload);

        Assert.That(Sign(bytes).Verifies(Image, Read(_key)), Is.False);
    }

    [Test]
    public void Should_verify_with_an_RSA_key()
    {
        using var rsa = RSA.Create(2048);
        var payload = SimpleSigning.Payload(Repository, Image);
        var signature = new LegacySignature(payload, Convert.ToBase64String(rsa.SignData(payload, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));

        Assert.That(signature.Verifies(Image, PublicKey.Read(_directory.Write("rsa.pub", rsa.ExportSubjectPublicKeyInfoPem()))), Is.True);
    }

    [Test]
    public void Should_name_the_file_and_how_to_make_a_key_When_there_is_none() =>
        Assert.That(
            () => PublicKey.Read(_directory.File("cosign.pub")),
            Throws.TypeOf<K3sException>().With.Message.Contains("cosign.pub").And.Message.Contains("SignKeyCreate").And.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.RequirementMissing));

    [Test]
    public void Should_refuse_a_private_key_and_other_text_as_a_public_key() =>
        Assert.That(() => PublicKey.Read(_directory.Write("cosign.pub", "hello")), Throws.TypeOf<K3sException>().With.Message.Contains("PEM"));

    private LegacySignature Sign() => Sign(SimpleSigning.Payload(Repository, Image));

    private LegacySignature Sign(byte[] payload) =>
        new(payload, Convert.ToBase64String(_key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));

    private PublicKey Read(ECDsa key) => PublicKey.Read(_directory.Write($"{Guid.NewGuid():n}.pub", key.ExportSubjectPublicKeyInfoPem()));
}

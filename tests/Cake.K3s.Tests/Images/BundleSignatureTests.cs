using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cake.K3s.Images;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Images;

internal sealed class BundleSignatureTests
{
    private static readonly Digest Image = Digest.Parse("sha256:" + new string('a', 64));

    private readonly TemporaryDirectory _directory = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [OneTimeTearDown]
    public void Dispose()
    {
        _directory.Dispose();
        _key.Dispose();
    }

    [Test]
    public void Should_verify_and_name_image_and_key_When_it_comes_out_of_its_bundle()
    {
        var key = PublicKey.Read(_directory.Write("cosign.pub", _key.ExportSubjectPublicKeyInfoPem()));

        var read = new BundleSignature(SigstoreBundle.TryRead(SigstoreBundle.Of(Sign(Attestation.SignatureType), key))!);

        Assert.That(read.Verifies(Image, key), Is.True);
        Assert.That((read.Name, read.ContentKey), Is.EqualTo(("api", "k1")));
        Assert.That(read.Verifies(Digest.Parse("sha256:" + new string('b', 64)), key), Is.False);
    }

    [Test]
    public void Should_not_verify_When_the_statement_says_something_else_than_that_the_image_is_signed()
    {
        var key = PublicKey.Read(_directory.Write("cosign.pub", _key.ExportSubjectPublicKeyInfoPem()));

        Assert.That(new BundleSignature(Sign(Attestation.ProvenanceType)).Verifies(Image, key), Is.False);
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"dsseEnvelope\":1}")]
    public void Should_read_nothing_When_it_is_no_bundle(string text) =>
        Assert.That(SigstoreBundle.TryRead(System.Text.Encoding.UTF8.GetBytes(text)), Is.Null);

    [TestCase("{}")]
    [TestCase("{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"e30=\",\"signatures\":[]}")]
    public void Should_name_nothing_and_not_verify_When_the_envelope_holds_no_statement(string envelope)
    {
        var signature = new BundleSignature(new(System.Text.Encoding.UTF8.GetBytes(envelope)));

        Assert.That((signature.Name, signature.ContentKey, signature.Verifies(Image, [])), Is.EqualTo(((string?)null, (string?)null, false)));
    }

    private Attestation Sign(string type)
    {
        var annotations = new Dictionary<string, string> { [ImageSignature.ContentKeyAnnotation] = "k1" };
        var statement = Attestation.Statement("registry.example/shop/api", Image, type, new JsonObject(), annotations);
        var signature = _key.SignData(Attestation.SigningInput(statement), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Attestation.Of(statement, Convert.ToBase64String(signature));
    }
}

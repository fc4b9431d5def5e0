using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Images;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Images.Attestations;

internal sealed class AttestationTests
{
    private static readonly Digest Image = Digest.Of("image"u8);

    private TemporaryDirectory _directory;
    private ECDsa _key;
    private PublicKey _public;

    [SetUp]
    public void MakeKey()
    {
        _directory = new();
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _public = PublicKey.Read(_directory.Write("cosign.pub", _key.ExportSubjectPublicKeyInfoPem()));
    }

    [TearDown]
    public void DropKey()
    {
        _key.Dispose();
        _directory.Dispose();
    }

    [Test]
    public void Should_sign_the_pre_authentication_encoding_of_DSSE() =>
        Assert.That(Encoding.UTF8.GetString(Attestation.SigningInput("{}"u8.ToArray())), Is.EqualTo("DSSEv1 28 application/vnd.in-toto+json 2 {}"));

    [Test]
    public void Should_give_back_what_was_stated_When_key_and_image_are_the_right_ones()
    {
        var read = Attest().Read(Image, _public);

        Assert.That(read?.PredicateType, Is.EqualTo(Attestation.ProvenanceType));
        Assert.That(read?.Predicate["by"]?.GetValue<string>(), Is.EqualTo("tess"));
    }

    [Test]
    public void Should_give_nothing_When_the_image_is_another() => Assert.That(Attest().Read(Digest.Of("other"u8), _public), Is.Null);

    [Test]
    public void Should_give_nothing_When_the_key_is_another()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.That(Attest().Read(Image, PublicKey.Read(_directory.Write("other.pub", other.ExportSubjectPublicKeyInfoPem()))), Is.Null);
    }

    [Test]
    public void Should_give_nothing_When_the_statement_was_changed()
    {
        var envelope = JsonNode.Parse(Attest().Envelope)!;
        var changed = Encoding.UTF8.GetString(envelope["payload"]!.GetValue<string>() is { } payload ? Convert.FromBase64String(payload) : []).Replace("tess", "mallory", StringComparison.Ordinal);
        envelope["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(changed));

        Assert.That(new Attestation(Encoding.UTF8.GetBytes(envelope.ToJsonString())).Read(Image, _public), Is.Null);
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("""{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}""")]
    [TestCase("""{"payloadType":"application/vnd.in-toto+json","payload":"%","signatures":[{}]}""")]
    [TestCase("""{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":null}""")]
    public void Should_give_nothing_When_the_envelope_is_none(string envelope) =>
        Assert.That(new Attestation(Encoding.UTF8.GetBytes(envelope)).Read(Image, _public), Is.Null);

    private Attestation Attest()
    {
        var statement = Attestation.Statement("registry.example/shop/api", Image, Attestation.ProvenanceType, new JsonObject { ["by"] = "tess" });
        return Attestation.Of(statement, Convert.ToBase64String(_key.SignData(Attestation.SigningInput(statement), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
    }
}

using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.Tests.Tools;

internal sealed class CosignArgumentsTests
{
    [Test]
    public void Should_sign_without_transparency_log_When_cosign_is_2_5() =>
        Assert.That(
            string.Join(' ', CosignArguments.SignBlob(CosignFlags.From("    --tlog-upload=true:\n    --new-bundle-format=false:\n"), "cosign.key", "p.json", "p.sig")),
            Is.EqualTo("sign-blob --key cosign.key --yes --tlog-upload=false --output-signature p.sig p.json"));

    [Test]
    public void Should_also_ask_for_the_legacy_form_When_cosign_knows_signing_configurations() =>
        Assert.That(
            string.Join(' ', CosignArguments.SignBlob(CosignFlags.From("    --use-signing-config=true:\n"), "cosign.key", "p.json", "p.sig")),
            Is.EqualTo("sign-blob --key cosign.key --yes --tlog-upload=false --new-bundle-format=false --use-signing-config=false --output-signature p.sig p.json"));

    [TestCase(false, "verify --key cosign.pub --insecure-ignore-tlog a.example/b@sha256:1")]
    [TestCase(true, "verify --key cosign.pub --insecure-ignore-tlog --allow-http-registry a.example/b@sha256:1")]
    public void Should_verify_by_key_alone(bool insecure, string expected) =>
        Assert.That(string.Join(' ', CosignArguments.Verify("cosign.pub", "a.example/b@sha256:1", insecure)), Is.EqualTo(expected));
}

using Cake.K3s.Sandbox.Node.Engine;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class PullFailureTests
{
    [TestCase("nginx", "docker.io/library/nginx:latest")]
    [TestCase("grafana/loki:3", "docker.io/grafana/loki:3")]
    [TestCase("localhost/api", "localhost/api:latest")]
    [TestCase("127.0.0.1:5000/api", "127.0.0.1:5000/api:latest")]
    [TestCase("registry.example/api@sha256:abc", "registry.example/api@sha256:abc")]
    public void Should_Name_Registry_And_Tag_When_A_Reference_Leaves_Them_Out(string image, string expected) =>
        Assert.That(PullFailure.Normalize(image), Is.EqualTo(expected));

    [Test]
    public void Should_Say_Not_Found_As_Containerd_Does_When_The_Tag_Is_Missing() =>
        Assert.That(
            PullFailure.Describe("127.0.0.1:5000/api:9", "failed to resolve reference \"127.0.0.1:5000/api:9\": 127.0.0.1:5000/api:9: not found"),
            Is.EqualTo("rpc error: code = NotFound desc = failed to pull and unpack image \"127.0.0.1:5000/api:9\": "
                + "failed to resolve reference \"127.0.0.1:5000/api:9\": 127.0.0.1:5000/api:9: not found"));

    [TestCase("pull access denied for x, repository does not exist or may require 'docker login'")]
    [TestCase("failed to resolve reference \"r/x:1\": authorization failed: no basic auth credentials")]
    [TestCase("unexpected status from HEAD request to http://r/v2/x/manifests/1: 401 Unauthorized")]
    public void Should_Say_That_Access_Is_Denied_When_The_Registry_Wants_Credentials(string error) =>
        Assert.That(PullFailure.Describe("r.example/x:1", error), Does.Contain("pull access denied").And.Contain("authorization failed"));

    [TestCase("no matching manifest for linux/amd64 in the manifest list entries")]
    [TestCase("image with reference x was found but does not match the specified platform: wanted linux/amd64, actual: linux/arm64")]
    public void Should_Say_That_No_Platform_Matches_When_The_Image_Is_For_Another(string error) =>
        Assert.That(PullFailure.Describe("r.example/x:1", error), Does.Contain("no match for platform in manifest: not found"));
}

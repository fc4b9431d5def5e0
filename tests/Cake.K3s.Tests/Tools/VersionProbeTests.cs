using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Tools;

public sealed class VersionProbeTests
{
    [TestCase(ToolName.Buildx, "github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", "0.13.1")]
    [TestCase(ToolName.Buildx, "github.com/docker/buildx v0.29.1 a32761aeb3debd39be1eca514af3693af0db334b", "0.29.1")]
    [TestCase(ToolName.Cosign, "GitVersion:    v2.6.1\nGitCommit:     634fabe\nGoVersion:     go1.24.4", "2.6.1")]
    [TestCase(ToolName.Cosign, "GitVersion:    devel\nGitCommit:     unknown\nGoVersion:     go1.24.4", null)]
    [TestCase(ToolName.Age, "1.1.1", "1.1.1")]
    [TestCase(ToolName.Age, "v1.2.1", "1.2.1")]
    [TestCase(ToolName.Kubectl, "Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", "1.32.4")]
    [TestCase(ToolName.Dockerd, "Docker version 26.1.5+dfsg1, build 411e817", "26.1.5")]
    [TestCase(ToolName.Registry, "docker-registry github.com/docker/distribution 2.8.3+ds1", "2.8.3")]
    [TestCase(ToolName.Postgres, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18")]
    public void Should_read_the_version_that_the_program_prints(ToolName tool, string output, string? version)
    {
        Assert.That(ToolCatalog.All[tool].Probe.Read(output)?.ToString(), Is.EqualTo(version));
    }

    [TestCase("tool 1.9", ExpectedResult = "is version 1.9, and 2.0 or newer is needed")]
    [TestCase("tool 2.0", ExpectedResult = null)]
    [TestCase("tool 10.0", ExpectedResult = null)]
    [TestCase("tool of my own", ExpectedResult = null)]
    public string? Should_object_only_to_a_version_that_is_too_low(string output) =>
        new VersionProbe([], @"tool (\d+\.\d+)", new Version(2, 0)).Objection(output);

    [Test]
    public void Should_have_a_definition_for_every_tool()
    {
        Assert.That(ToolCatalog.All.Keys, Is.EquivalentTo(Enum.GetValues<ToolName>()));
    }
}

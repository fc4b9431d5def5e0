using Cake.K3s.Images;
using Cake.K3s.Processes;

namespace Cake.K3s.Tests.Images;

internal sealed class BuildxFailureTests
{
    private static readonly CommandFailedException Cause = new("buildx ended with exit code 1", "buildx build", 1, "/", ["last"]);

    [Test]
    public void Should_say_what_buildx_says_and_show_the_failed_step_When_a_step_fails()
    {
        string[] output = ["#1 DONE", "#4 ERROR: boom", "------", " > [1/1] COPY nope /x:", "------", "Dockerfile:2", "ERROR: failed to solve: \"/nope\": not found"];

        var failure = BuildxFailure.Of("api", "build.log", output, Cause);

        Assert.That(failure.Summary, Is.EqualTo("image api did not build: failed to solve: \"/nope\": not found"));
        Assert.That(failure.Details, Is.EqualTo(output[2..6]));
        Assert.That(failure.NextStep, Does.Contain("build.log"));
    }

    [TestCase("failed to solve: a:1: failed to resolve source metadata for docker.io/library/a:1: failed to do request: Head \"https://x\": dial tcp: lookup x: no such host", "network")]
    [TestCase("failed to solve: a:1: failed to resolve source metadata for docker.io/library/a:1: docker.io/library/a:1: not found", "name and tag")]
    [TestCase("failed to solve: failed to compute cache key: failed to calculate checksum of ref x::y: \"/nope\": not found", ".dockerignore")]
    public void Should_say_what_to_do_When_the_cause_is_known(string message, string expected) =>
        Assert.That(BuildxFailure.Of("api", "build.log", ["ERROR: " + message], Cause).NextStep, Does.Contain(expected).And.EndWith("build.log"));

    [Test]
    public void Should_explain_the_builder_When_it_cannot_write_archives()
    {
        var failure = BuildxFailure.Of("api", "build.log", ["ERROR: OCI exporter is not supported for the docker driver."], Cause);

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.NextStep, Does.Contain("containerd-snapshotter").And.Contain("docker-container"));
    }

    [Test]
    public void Should_explain_the_builder_When_it_cannot_export_the_cache()
    {
        var failure = BuildxFailure.Of("api", "build.log", ["ERROR: Cache export is not supported for the docker driver."], Cause);

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RequirementMissing));
        Assert.That(failure.NextStep, Does.Contain("docker-container").And.Contain("registry.cache"));
    }

    [Test]
    public void Should_pass_on_the_runners_failure_When_buildx_said_nothing() =>
        Assert.That(BuildxFailure.Of("api", "build.log", [], Cause).Summary, Does.Contain("exit code 1"));
}

using Cake.K3s.Images;

namespace Cake.K3s.Tests.Images;

internal sealed class BaseImagesTests
{
    [Test]
    public void Should_find_every_image_once_and_no_stage()
    {
        const string Dockerfile = """
            # FROM commented
            FROM --platform=$BUILDPLATFORM golang:1.25 AS build
            RUN go build \
              -o /app
            FROM build AS test
            FROM scratch
            COPY --from=build /app /app
            COPY --from=0 /etc/ssl /etc/ssl
            COPY --chown=1 --from=alpine:3.22 /etc/passwd /etc/passwd
            COPY --from=golang:1.25 /x /x
            """;

        Assert.That(BaseImages.In(Dockerfile, new Dictionary<string, string>()), Is.EqualTo(new[] { "golang:1.25", "alpine:3.22" }));
    }

    [TestCase("", "debian:13")]
    [TestCase("trixie-slim", "debian:trixie-slim")]
    public void Should_fill_in_arguments_over_their_defaults(string given, string expected)
    {
        var arguments = given.Length == 0 ? new Dictionary<string, string>() : new() { ["TAG"] = given };

        Assert.That(BaseImages.In("ARG TAG=13\nARG BASE=\"debian:${TAG}\"\nFROM ${BASE}\n", arguments), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void Should_use_the_references_own_default_When_an_argument_is_not_set() =>
        Assert.That(BaseImages.In("ARG BASE\nFROM ${BASE:-debian:13}", new Dictionary<string, string>()), Is.EqualTo(new[] { "debian:13" }));

    [Test]
    public void Should_find_the_arguments_of_all_stages() =>
        Assert.That(
            BaseImages.Arguments("ARG A=1 B='x y' C\nFROM a\narg D=\"${A} E\"\nRUN echo ARG F\nARG A"),
            Is.EqualTo(new[] { "A", "B", "C", "D" }));

    [Test]
    public void Should_not_let_an_argument_of_a_stage_into_a_later_FROM() =>
        Assert.That(BaseImages.In("ARG V=1\nFROM a:$V\nARG V=2\nFROM b:$V", new Dictionary<string, string>()), Is.EqualTo(new[] { "a:1", "b:1" }));
}

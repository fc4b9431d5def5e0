using System.Collections.Immutable;
using Cake.K3s.Tools.Buildx;

namespace Cake.K3s.Tests.Tools;

internal sealed class BuildxArgumentsTests
{
    private static readonly BuildxSettings Settings = new()
    {
        Context = "/app/api",
        File = "/app/api/Dockerfile",
        Archive = "/artifacts/image.tar",
        MetadataFile = "/artifacts/metadata.json",
        Platform = "linux/amd64",
    };

    [Test]
    public void Should_write_an_archive_with_one_manifest_and_no_times_of_its_own() =>
        Assert.That(
            string.Join(' ', BuildxArguments.Build(Settings)),
            Is.EqualTo(
                "build --progress=plain --platform linux/amd64 --file /app/api/Dockerfile --provenance=false --sbom=false "
                + "--output type=oci,dest=/artifacts/image.tar,rewrite-timestamp=true --metadata-file /artifacts/metadata.json /app/api"));

    [Test]
    public void Should_pass_everything_else_by_name_When_it_is_set()
    {
        var settings = Settings with
        {
            Builder = "ci",
            Target = "final",
            BuildArguments = One("VERSION", "1"),
            PinnedBases = One("debian:13", "docker.io/library/debian@sha256:1"),
            Labels = One("key", "k"),
            Secrets = One("npm", "NPM_TOKEN"),
            Cache = "registry.example/cache:main",
        };

        Assert.That(
            string.Join(' ', BuildxArguments.Build(settings)),
            Does.Contain("--builder ci ").And.Contain("--target final ").And.Contain("--build-arg VERSION=1 ")
                .And.Contain("--build-context debian:13=docker-image://docker.io/library/debian@sha256:1 ").And.Contain("--label key=k ")
                .And.Contain("--secret id=npm,env=NPM_TOKEN ").And.Contain("--cache-from type=registry,ref=registry.example/cache:main ").And.Contain("mode=max"));
    }

    private static ImmutableSortedDictionary<string, string> One(string key, string value) => ImmutableSortedDictionary<string, string>.Empty.Add(key, value);
}

using System.Collections.Immutable;
using Cake.K3s.Images;
using Cake.K3s.Images.Attestations;

namespace Cake.K3s.Tests.Images.Attestations;

internal sealed class ProvenanceTests
{
    private static readonly Digest Base = Digest.Of("base"u8);

    private static readonly BuildRecord Record = new()
    {
        Image = "api",
        Repository = "registry.example/shop/api",
        Digest = Digest.Of("image"u8),
        ContentKey = "1",
        Commit = "0123456789abcdef0123456789abcdef01234567",
        Time = DateTimeOffset.UnixEpoch,
    };

    private static readonly BuildInputs Inputs = new(
        new() { Context = "api" },
        "linux/amd64",
        ImmutableSortedDictionary<string, string>.Empty,
        ImmutableSortedDictionary<string, string>.Empty.Add("debian:13", $"docker.io/library/debian@{Base}"));

    [Test]
    public void Should_name_the_commit_and_the_pinned_base_image_by_their_digests()
    {
        var dependencies = Predicate(Record)["buildDefinition"]!["resolvedDependencies"]!.AsArray();

        Assert.That(dependencies[0]!["uri"]!.GetValue<string>(), Is.EqualTo("git+https://gitea.example.com/shop"));
        Assert.That(dependencies[0]!["digest"]!["gitCommit"]!.GetValue<string>(), Is.EqualTo(Record.Commit));
        Assert.That(dependencies[1]!["digest"]!["sha256"]!.GetValue<string>(), Is.EqualTo(Base.Hex));
    }

    [TestCase(false, "commit 0123456789abcdef0123456789abcdef01234567 of git+https://gitea.example.com/shop")]
    [TestCase(true, "commit 0123456789abcdef0123456789abcdef01234567 of git+https://gitea.example.com/shop, with files that differed from it")]
    public void Should_tell_a_person_from_what_by_whom_and_when(bool dirty, string commit) =>
        Assert.That(
            Provenance.Describe(Predicate(Record with { IsDirty = dirty })),
            Is.EqualTo(new[]
            {
                commit,
                $"on docker://docker.io/library/debian@{Base}",
                "built by tess@laptop in https://gitea.example.com/shop/actions/runs/7, 1970-01-01T00:00:05Z, with buildx PATH, for test",
            }));

    private static System.Text.Json.Nodes.JsonObject Predicate(BuildRecord record) => Provenance.Predicate(
        record,
        Inputs,
        "test",
        new("tess@laptop", "https://gitea.example.com/shop/actions/runs/7"),
        "https://gitea.example.com/shop",
        "PATH",
        DateTimeOffset.UnixEpoch,
        DateTimeOffset.UnixEpoch.AddSeconds(5));
}

using System.Collections.Immutable;
using Cake.K3s.Images;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using LibGit2Sharp;

namespace Cake.K3s.Tests.Images;

internal sealed class ContentKeyTests
{
    private static readonly BuildInputs Inputs = new(
        new ImageSettings { Context = "app" },
        "linux/amd64",
        ImmutableSortedDictionary<string, string>.Empty,
        ImmutableSortedDictionary<string, string>.Empty);

    private TemporaryDirectory _directory;

    [SetUp]
    public void MakeContext()
    {
        _directory = new();
        _directory.Write("app/Dockerfile", "FROM scratch\nCOPY . /\n");
        _directory.Write("app/a.txt", "a");
        _directory.Write("app/.dockerignore", "*.log\n");
    }

    [TearDown]
    public void RemoveContext() => _directory.Dispose();

    [Test]
    public async Task Should_be_the_same_When_the_same_files_are_elsewhere()
    {
        using var other = new TemporaryDirectory();
        other.Write("app/a.txt", "a");
        other.Write("app/.dockerignore", "*.log\n");
        other.Write("app/Dockerfile", "FROM scratch\nCOPY . /\n");

        Assert.That(await ContentKey.ComputeAsync(other.Path, Inputs, default), Is.EqualTo(await KeyAsync()));
    }

    [TestCase("app/a.txt", "b")]
    [TestCase("app/new.txt", "a")]
    [TestCase("app/Dockerfile", "FROM scratch\n")]
    [TestCase("app/.dockerignore", "*.log\n*.tmp\n")]
    public async Task Should_change_When_a_file_does(string file, string text)
    {
        var before = await KeyAsync();
        _directory.Write(file, text);

        Assert.That(await KeyAsync(), Is.Not.EqualTo(before));
    }

    [Test]
    public async Task Should_stay_When_an_ignored_file_changes()
    {
        var before = await KeyAsync();
        _directory.Write("app/x.log", "b");

        Assert.That(await KeyAsync(), Is.EqualTo(before));
    }

    [Test]
    public async Task Should_cover_the_Dockerfile_When_it_is_ignored()
    {
        _directory.Write("app/.dockerignore", "Dockerfile\n");
        var before = await KeyAsync();
        _directory.Write("app/Dockerfile", "FROM scratch\n");

        Assert.That(await KeyAsync(), Is.Not.EqualTo(before));
    }

    [Test]
    [Platform(Exclude = "Win")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Should_change_When_a_file_becomes_executable()
    {
        var before = await KeyAsync();
        File.SetUnixFileMode(_directory.File("app/a.txt"), (UnixFileMode)0b111_101_101);

        Assert.That(await KeyAsync(), Is.Not.EqualTo(before));
    }

    private static readonly TestCaseData[] OtherInputs =
    [
        new(Inputs with { Platform = "linux/arm64" }),
        new(Inputs with { Arguments = Inputs.Arguments.Add("A", "1") }),
        new(Inputs with { Bases = Inputs.Bases.Add("debian", "debian@sha256:1") }),
        new(Inputs with { Image = Inputs.Image with { Target = "test" } }),
        new(Inputs with { Image = Inputs.Image with { Prepare = "make" } }),
    ];

    [TestCaseSource(nameof(OtherInputs))]
    public async Task Should_change_When_anything_else_that_decides_the_image_does(object other) =>
        Assert.That(await ContentKey.ComputeAsync(_directory.Path, (BuildInputs)other, default), Is.Not.EqualTo(await KeyAsync()));

    [Test]
    public async Task Should_cover_what_prepare_starts_from_and_not_what_it_makes_When_git_tells_them_apart()
    {
        Repository.Init(_directory.Path);
        _directory.Write(".gitignore", "out/\n");
        _directory.Write("app/.dockerignore", "*\n!out\n");
        _directory.Write("shared/s.txt", "s");
        var inputs = Inputs with { Image = Inputs.Image with { Prepare = "make", Sources = ["**", "../shared/s.txt"] } };
        var before = await KeyAsync(inputs);

        _directory.Write("app/out/made.txt", "made");
        Assert.That(await KeyAsync(inputs), Is.EqualTo(before));

        _directory.Write("app/a.txt", "changed");
        var changed = await KeyAsync(inputs);
        Assert.That(changed, Is.Not.EqualTo(before));

        _directory.Write("shared/s.txt", "changed");
        Assert.That(await KeyAsync(inputs), Is.Not.EqualTo(changed));
    }

    [Test]
    public async Task Should_cover_the_links_target_name_and_not_follow_it_When_a_file_is_a_link()
    {
        File.CreateSymbolicLink(_directory.File("app/loop"), ".");
        var before = await KeyAsync();
        File.Delete(_directory.File("app/loop"));
        File.CreateSymbolicLink(_directory.File("app/loop"), "a.txt");

        Assert.That(await KeyAsync(), Is.Not.EqualTo(before));
    }

    private Task<string> KeyAsync(BuildInputs? inputs = null) => ContentKey.ComputeAsync(_directory.Path, inputs ?? Inputs, default);
}

using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Tools;

public sealed class PathPatternTests
{
    [Test]
    public void Should_find_what_fits_with_the_highest_version_first()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("lib/15/bin/postgres", "");
        directory.Write("lib/17/bin/postgres", "");
        directory.Write("lib/18/other", "");

        var found = PathPattern.Expand(directory.Path, "lib/*/bin/postgres");

        Assert.That(found, Is.EqualTo(new[] { directory.File("lib", "17", "bin", "postgres"), directory.File("lib", "15", "bin", "postgres") }));
    }

    [Test]
    public void Should_find_nothing_When_a_directory_is_absent()
    {
        Assert.That(PathPattern.Expand("/", "/no-such-directory/*/bin"), Is.Empty);
    }
}

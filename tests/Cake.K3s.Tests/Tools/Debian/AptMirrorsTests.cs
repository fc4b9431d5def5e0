using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tests.Tools.Debian;

public sealed class AptMirrorsTests
{
    private static readonly DebianHost Bookworm = new("debian", "bookworm");

    [Test]
    public void Should_ask_the_hosts_own_mirror_for_another_release_with_its_updates_and_security()
    {
        var archives = AptArchive.ParseAll("""
            http://mirror/debian/|bookworm|main
            http://mirror/debian/|bookworm-updates|main
            http://mirror/debian-security/|bookworm-security|main
            """);

        var sources = AptMirrors.SourcesOf(archives, Bookworm, "trixie", "/keyring.gpg", "amd64");

        Assert.That(sources, Is.EqualTo("""
            Types: deb
            URIs: http://mirror/debian/
            Suites: trixie
            Components: main
            Architectures: amd64
            Targets: Packages
            Signed-By: /keyring.gpg

            Types: deb
            URIs: http://mirror/debian/
            Suites: trixie-updates
            Components: main
            Architectures: amd64
            Targets: Packages
            Signed-By: /keyring.gpg

            Types: deb
            URIs: http://mirror/debian-security/
            Suites: trixie-security
            Components: main
            Architectures: amd64
            Targets: Packages
            Signed-By: /keyring.gpg

            """));
    }

    [Test]
    public void Should_ask_for_no_updates_apart_When_the_branch_is_the_unstable_one()
    {
        var archives = AptArchive.ParseAll("http://mirror/debian/|bookworm|main\nhttp://mirror/debian/|bookworm-updates|main\nhttp://mirror/debian-security/|bookworm-security|main");

        var sources = AptMirrors.SourcesOf(archives, Bookworm, Bookworm.CodenameOf(DebianRelease.Unstable), null, "amd64");

        Assert.That(sources, Does.Contain("Suites: sid\n").And.Not.Contain("sid-").And.Not.Contain("security"));
    }

    [Test]
    public void Should_leave_out_the_archives_of_others()
    {
        var archives = AptArchive.ParseAll("""
            https://vendor/apt/|bookworm|main
            https://other-vendor/apt/|bookworm-pgdg|main
            http://mirror/debian/|bookworm|main
            http://mirror/debian/|bookworm|contrib
            http://mirror/debian/|bookworm-updates|main
            http://mirror/debian/|bookworm-backports|main
            https://third-vendor/|nodistro|main
            """);

        var sources = AptMirrors.SourcesOf(archives, Bookworm, "bookworm", null, "amd64");

        Assert.That(sources!.Split('\n').Where(line => line.StartsWith("Suites", StringComparison.Ordinal)), Is.EqualTo(new[] { "Suites: bookworm", "Suites: bookworm-updates" }));
        Assert.That(sources, Does.Not.Contain("vendor").And.Not.Contain("contrib").And.Not.Contain("Signed-By"));
    }

    [Test]
    public void Should_take_universe_along_When_the_host_is_Ubuntu()
    {
        var archives = AptArchive.ParseAll("""
            http://mirror/ubuntu/|noble|main
            http://mirror/ubuntu/|noble|universe
            http://mirror/ubuntu/|noble-updates|main
            """);

        var sources = AptMirrors.SourcesOf(archives, new DebianHost("ubuntu", "noble"), "noble", null, "arm64");

        Assert.That(sources, Does.Contain("Suites: noble\nComponents: main universe\nArchitectures: arm64"));
    }

    [Test]
    public void Should_take_the_only_archive_When_a_private_mirror_has_no_updates()
    {
        var sources = AptMirrors.SourcesOf([new AptArchive("http://mirror/", "bookworm", "main")], Bookworm, "trixie", null, "amd64");

        Assert.That(sources, Does.Contain("URIs: http://mirror/\nSuites: trixie\n"));
    }

    [Test]
    public void Should_find_nothing_When_the_host_has_no_mirror_of_its_release()
    {
        Assert.That(AptMirrors.SourcesOf([new AptArchive("http://vendor/", "nodistro", "main")], Bookworm, "trixie", null, "amd64"), Is.Null);
    }
}

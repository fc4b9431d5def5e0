using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tests.Tools.Debian;

public sealed class DebianSelectionTests
{
    [Test]
    public void Should_read_name_version_and_size_of_what_apt_prints()
    {
        var packages = AptOutput.Packages("""
            Reading package lists...
            'http://m/pool/main/c/cosign/cosign_2.5.0-2%2bb4_amd64.deb' cosign_2.5.0-2+b4_amd64.deb 14891480 SHA256:aef4
            'http://m/pool/main/libx/libxcrypt/libcrypt1_4.4.33-2_amd64.deb' libcrypt1_1%3a4.4.33-2_amd64.deb 89464 SHA256:00
            """);

        Assert.That(packages, Is.EqualTo(new[] { new DebianPackage("cosign", "2.5.0-2+b4", 14891480), new DebianPackage("libcrypt1", "1:4.4.33-2", 89464) }));
    }

    [Test]
    public void Should_keep_the_program_and_its_libraries_and_leave_libc_to_the_host()
    {
        var closure = Packages("postgresql", "postgresql-15", "postgresql-common", "libpq5", "zlib1g", "libc6", "libc-bin", "libllvm14", "libjson-perl", "perl", "adduser");

        var selected = DebianSelection.WithLibraries(closure, ["postgresql", "postgresql-15*"]);

        Assert.That(selected.Select(package => package.Name), Is.EqualTo(new[] { "postgresql", "postgresql-15", "libpq5", "zlib1g" }));
    }

    private static IEnumerable<DebianPackage> Packages(params string[] names) => names.Select(name => new DebianPackage(name, "1", 1));
}

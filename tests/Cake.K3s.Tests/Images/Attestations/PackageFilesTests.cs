using Cake.K3s.Images.Attestations;

namespace Cake.K3s.Tests.Images.Attestations;

internal sealed class PackageFilesTests
{
    [Test]
    public void Should_list_what_dpkg_has_installed_and_not_what_it_has_removed() =>
        Assert.That(
            Purls("var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nVersion: 2.41-12\nDescription: C\n more\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"),
            Is.EqualTo(new[] { "pkg:deb/debian/libc6@2.41-12" }));

    [Test]
    public void Should_read_the_single_files_of_images_without_dpkg() =>
        Assert.That(Purls("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2025b\n"), Is.EqualTo(new[] { "pkg:deb/debian/tzdata@2025b" }));

    [Test]
    public void Should_list_alpine_packages() =>
        Assert.That(Purls("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.5-r10\n\nP:busybox\nV:1.37.0-r18\n"), Is.EqualTo(new[] { "pkg:apk/alpine/musl@1.2.5-r10", "pkg:apk/alpine/busybox@1.37.0-r18" }));

    [Test]
    public void Should_list_the_packages_of_a_NET_app_and_not_its_own_projects() =>
        Assert.That(
            Purls("app/Api.deps.json", """{"libraries":{"Api/1.0.0":{"type":"project"},"Npgsql/10.0.3":{"type":"package"},"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/10.0.1":{"type":"runtimepack"}}}"""),
            Is.EqualTo(new[] { "pkg:nuget/Npgsql@10.0.3", "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.1" }));

    [Test]
    public void Should_list_NET_lock_files() =>
        Assert.That(Purls("packages.lock.json", """{"version":1,"dependencies":{"net10.0":{"Npgsql":{"type":"Direct","resolved":"10.0.3"}}}}"""), Is.EqualTo(new[] { "pkg:nuget/Npgsql@10.0.3" }));

    [Test]
    public void Should_list_npm_lock_files_without_what_is_for_development() =>
        Assert.That(
            Purls("package-lock.json", """{"packages":{"":{"version":"1.0.0"},"node_modules/next":{"version":"15.1.0"},"node_modules/next/node_modules/@swc/helpers":{"version":"0.5.15"},"node_modules/jest":{"version":"29.0.0","dev":true}}}"""),
            Is.EqualTo(new[] { "pkg:npm/next@15.1.0", "pkg:npm/%40swc/helpers@0.5.15" }));

    [Test]
    public void Should_list_the_modules_of_go() =>
        Assert.That(
            Purls("src/go.mod", "module example.com/api\n\ngo 1.25\n\nrequire github.com/redis/go-redis/v9 v9.7.0\n\nrequire (\n\tgolang.org/x/sync v0.10.0 // indirect\n)\n"),
            Is.EqualTo(new[] { "pkg:golang/github.com/redis/go-redis/v9@v9.7.0", "pkg:golang/golang.org/x/sync@v0.10.0" }));

    [TestCase("x/package-lock.json", "no json")]
    [TestCase("x/package-lock.json", "[]")]
    [TestCase("x/a.deps.json", """{"libraries":[]}""")]
    [TestCase("README", "hello")]
    public void Should_list_nothing_When_a_file_is_something_else(string path, string text) => Assert.That(PackageFiles.Read(path, text), Is.Empty);

    private static IEnumerable<string> Purls(string path, string text) => PackageFiles.Read(path, text).Select(package => package.Purl);
}

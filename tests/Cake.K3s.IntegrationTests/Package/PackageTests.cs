using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Tests.Fixtures;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.Package;

/// <summary>The NuGet package, consumed by the build of docs/library.md in a directory outside of the repository.</summary>
public sealed class PackageTests
{
    private const string Version = "0.1.0-test";

    private TemporaryDirectory _directory = null!;

    [OneTimeSetUp]
    public async Task Pack()
    {
        _directory = new TemporaryDirectory();

        // What was built for these tests; the version is one that no feed has.
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        await DotnetAsync(TestSandbox.RepositoryRoot, "pack", "build/Cake.K3s", "--no-build", "-c", configuration, "-o", _directory.File("feed"), "-p:PackageVersion=" + Version);
        var page = await File.ReadAllTextAsync(Path.Combine(TestSandbox.RepositoryRoot, "docs/library.md"));
        _directory.Write("build/Build.csproj", Block("xml", page).Replace("\"0.1.0\"", $"\"{Version}\"", StringComparison.Ordinal));
        _directory.Write("build/Program.cs", Block("csharp", page));
        _directory.Write("nuget.config", $"""<configuration><packageSources><add key="local" value="{_directory.File("feed")}" /></packageSources></configuration>""");

        // Everything but the package itself is there from the restore of these tests.
        var packages = (await DotnetAsync(_directory.Path, "nuget", "locals", "global-packages", "--list")).Split(": ")[1].Trim();
        await DotnetAsync(_directory.Path, "build", "build", "-nologo", "-v", "quiet", $"-p:RestorePackagesPath={_directory.File("packages")}", $"-p:RestoreFallbackFolders={packages}");
    }

    [OneTimeTearDown]
    public void Remove() => _directory.Dispose();

    [Test]
    public async Task Should_ShowItsTasksBesideTheLibrarys()
    {
        var tree = await DotnetAsync(_directory.Path, "build/bin/Debug/net10.0/Build.dll", "--tree");

        Assert.That(tree, Does.Match(@"(?m)^SmokeTest\s*\n.*VerifyRollout"));
    }

    [Test]
    public async Task Should_RunTheLibrarysTasks()
    {
        _directory.Write("app/Dockerfile", "FROM scratch\n");

        var output = await DotnetAsync(_directory.Path, "build/bin/Debug/net10.0/Build.dll", "--target=Init", "--working=app");

        Assert.That(output, Does.Contain("deploy.yaml written"));
        Assert.That(_directory.File("app", "deploy.yaml"), Does.Exist);
    }

    [Test]
    public void Should_HoldLicenceReadmeAndNotices()
    {
        using var package = ZipFile.OpenRead(_directory.File("feed", $"Cake.K3s.{Version}.nupkg"));
        using var specification = package.GetEntry("Cake.K3s.nuspec")!.Open();
        var metadata = XDocument.Load(specification).Root!.Elements().Single();
        XNamespace space = metadata.Name.Namespace;

        Assert.That(package.Entries.Select(entry => entry.FullName), Is.SupersetOf(["LICENSE", "THIRD-PARTY-NOTICES.txt", "library.md", "lib/net10.0/Cake.K3s.dll", "lib/net10.0/Cake.K3s.xml", "lib/net10.0/Cake.Core.dll", "lib/net10.0/Cake.Frosting.dll"]));
        Assert.That(metadata.Element(space + "license")!.Value, Is.EqualTo("MIT"));
        Assert.That(metadata.Element(space + "readme")!.Value, Is.EqualTo("library.md"));
        Assert.That(metadata.Descendants(space + "dependency").Select(dependency => dependency.Attribute("id")!.Value), Has.None.StartWith("Cake."), "a feed may not carry it");
    }

    [Test]
    public void Should_HaveSymbols()
    {
        using var symbols = ZipFile.OpenRead(_directory.File("feed", $"Cake.K3s.{Version}.snupkg"));

        Assert.That(symbols.Entries.Select(entry => entry.FullName), Does.Contain("lib/net10.0/Cake.K3s.pdb"));
    }

    private static string Block(string language, string page) => Regex.Match(page, $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

    private static async Task<string> DotnetAsync(string directory, params string[] arguments)
    {
        var result = await CliWrap.Cli.Wrap("dotnet").WithArguments(arguments).WithWorkingDirectory(directory)
            .WithEnvironmentVariables(variables => variables.Set("NO_COLOR", "1").Set("MSBUILDDISABLENODEREUSE", "1"))
            .WithValidation(CliWrap.CommandResultValidation.None)
            .ExecuteBufferedAsync();
        Assert.That(result.ExitCode, Is.Zero, $"dotnet {string.Join(' ', arguments)}\n{result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }
}

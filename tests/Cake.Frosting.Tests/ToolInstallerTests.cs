using Cake.Core.IO;
using Cake.Core.Packaging;

namespace Cake.Frosting.Tests;

public sealed class ToolInstallerTests : HostTest
{
    [Test]
    public void Should_Make_No_Installer_When_There_Is_Nothing_To_Install()
    {
        Host(typeof(Lint)).UsePackageInstaller<Noting>().Run(["--target=Lint"]);

        Assert.That(Journal.Entries, Is.EqualTo(new[] { "Lint" }));
    }

    [Test]
    public void Should_Install_Before_The_First_Task_When_There_Is_A_Tool()
    {
        Host(typeof(Lint)).UsePackageInstaller<Noting>().InstallTool(new Uri("note:?package=x")).Run(["--target=Lint"]);

        Assert.That(Journal.Entries, Is.EqualTo(new[] { "made", "x", "Lint" }), Console.Error);
    }

    public sealed class Lint(Journal journal) : Entered(journal);

    public sealed class Noting : IPackageInstaller
    {
        private readonly Journal _journal;

        public Noting(Journal journal)
        {
            _journal = journal;
            journal.Add("made");
        }

        public bool CanInstall(PackageReference package, PackageType type) => package.Scheme == "note";

        public IReadOnlyCollection<IFile> Install(PackageReference package, PackageType type, DirectoryPath path)
        {
            _journal.Add(package.Package);
            return [new FileSystem().GetFile(typeof(Noting).Assembly.Location)];
        }
    }
}

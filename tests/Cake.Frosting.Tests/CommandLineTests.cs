using Cake.Core;

namespace Cake.Frosting.Tests;

public sealed class CommandLineTests : HostTest
{
    private readonly string _directory = Environment.CurrentDirectory;

    // Cake changes the directory of the process.
    [TearDown]
    public void RestoreDirectory() => Environment.CurrentDirectory = _directory;

    [TestCase("--dry-run", "Unknown switch '--dry-run'. Did you mean --dryrun?")]
    [TestCase("--dry", "Unknown switch '--dry'. Did you mean --dryrun?")]
    [TestCase("--TARGET=Show", "Unknown switch '--TARGET'. Did you mean --target?")]
    [TestCase("--targte=Show", "Unknown switch '--targte'. Did you mean --target?")]
    [TestCase("--exlusive", "Unknown switch '--exlusive'. Did you mean --exclusive?")]
    [TestCase("Show", "'Show' is not a switch. A task is named with --target, e.g. --target=Show.")]
    [TestCase("--target", "--target needs a value: --target TASK.")]
    [TestCase("--target=", "--target needs a value: --target TASK.")]
    [TestCase("--tree=maybe", "--tree is a flag and takes no value but true or false, not 'maybe'.")]
    [TestCase("--verbosity=lout", "Unknown verbosity 'lout'.")]
    [TestCase("--verbosity=verbos", "Unknown verbosity 'verbos'. Did you mean verbose?")]
    [TestCase("--working=/no/such/folder", "The working directory '/no/such/folder' does not exist.")]
    public void Should_Say_What_Is_Wrong_And_Start_Nothing(string argument, string message)
    {
        var exitCode = Host(typeof(Default)).Run([argument]);

        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(Console.Error, Does.StartWith("Error: " + message));
        Assert.That(Journal.Entries, Is.Empty);
    }

    [Test]
    public void Should_Take_Any_Other_Switch_As_An_Argument_When_None_Are_Known()
    {
        var exitCode = Host(typeof(Default)).Run(["--one=1", "--two", "2", "--flag", "-x", "5", "--many=a", "--many=b", "--", "--dry-run"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EquivalentTo(["one=1", "two=2", "flag=", "x=5", "many=a,b", "dry-run=", "target=Default"]));
    }

    [TestCase("--enviroment=production", "Unknown switch '--enviroment'. Did you mean --environment?")]
    [TestCase("--unrelated", "Unknown switch '--unrelated'. --help lists the switches.")]
    [TestCase("-x", "Unknown switch '-x'. --help lists the switches.")]
    public void Should_Refuse_Any_Other_Switch_When_The_Known_Ones_Are_Set(string argument, string message)
    {
        var exitCode = Host(typeof(Default)).UseCakeSetting("Frosting_KnownArguments", "environment,settings").Run([argument]);

        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(Console.Error, Does.StartWith("Error: " + message));
    }

    [Test]
    public void Should_Take_A_Known_Switch()
    {
        var exitCode = Host(typeof(Default)).UseCakeSetting("Frosting_KnownArguments", "environment,trees").Run(["--environment=production", "--trees"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Does.Contain("environment=production"));
    }

    [Test]
    public void Should_Not_Take_The_Word_After_A_Flag_As_Its_Value()
    {
        var exitCode = Host(typeof(Default)).Run(["--exclusive", "Default"]);

        Assert.That(exitCode, Is.EqualTo(2));
    }

    [Test]
    public void Should_Run_When_A_Flag_Is_Set_To_False() =>
        Assert.That(Host(typeof(Default)).Run(["--dryrun=false"]), Is.Zero.And.Matches<int>(_ => Journal.Entries.Count > 0));

    [Test]
    public void Should_Work_In_The_Directory_Of_The_Command_Line_When_The_Host_Has_Another()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            Host(typeof(Where)).UseWorkingDirectory("/").Run(["--target=Where", "--working", directory.FullName]);

            Assert.That(Journal.Entries, Is.EqualTo([directory.FullName]));
        }
        finally
        {
            RestoreDirectory();
            directory.Delete();
        }
    }

    [Test]
    public void Should_Work_In_The_Directory_Of_The_Host()
    {
        Host(typeof(Where)).UseWorkingDirectory("/").Run(["--target=Where"]);

        Assert.That(Journal.Entries, Is.EqualTo(["/"]));
    }

    [Test]
    public void Should_Prefer_The_Command_Line_When_A_Setting_Is_Given_Twice()
    {
        Host(typeof(Setting)).UseCakeSetting("Foo_Bar", "host").Run(["--target=Setting", "--foo_bar=line"]);

        Assert.That(Journal.Entries, Is.EqualTo(["line"]));
    }

    public sealed class Default(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context)
        {
            foreach (var (name, values) in context.Arguments.GetArguments())
            {
                journal.Add($"{name}={string.Join(",", values)}");
            }
        }
    }

    public sealed class Where(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context) => journal.Add(context.Environment.WorkingDirectory.FullPath);
    }

    public sealed class Setting(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context) => journal.Add(context.Configuration.GetValue("Foo_Bar"));
    }
}

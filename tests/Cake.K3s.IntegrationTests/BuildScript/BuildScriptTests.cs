using System.Reflection.PortableExecutable;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.BuildScript;

/// <summary>
/// The real scripts with a small program below them. One repository for all tests of a script: a compilation takes seconds. build.ps1 runs in
/// pwsh where there is one, else in PowerShell's engine with stand-ins for a few cmdlets.
/// </summary>
[TestFixture("build.sh")]
[TestFixture("build.ps1")]
[Platform("Linux,MacOsX", Reason = "build.sh needs bash.")]
public sealed class BuildScriptTests(string script)
{
    private const string Program = """
        System.Console.WriteLine(string.Join("|", args));
        if (args is ["read"]) { System.Console.WriteLine(System.Console.In.ReadToEnd()); }
        if (args is ["directory"]) { System.Console.WriteLine(System.Environment.CurrentDirectory); }
        return args.Length;
        """;

    private string _root = null!;

    [OneTimeSetUp]
    public void MakeRepository()
    {
        _root = Directory.CreateTempSubdirectory("build-script-").FullName;
        File.Copy(Path.Combine(TestSandbox.RepositoryRoot, script), InRoot(script));
        Write("global.json", """{"sdk": {"version": "10.0.100", "rollForward": "latestFeature"}}""");
        Write("Directory.Build.props", "<Project />");
        Write("build/Build/Build.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
              </PropertyGroup>
            </Project>
            """);
    }

    [SetUp]
    public void WriteProgram()
    {
        if (!File.Exists(InRoot("build/Build/Program.cs")) || File.ReadAllText(InRoot("build/Build/Program.cs")) != Program)
        {
            Write("build/Build/Program.cs", Program);
        }
    }

    [OneTimeTearDown]
    public void RemoveRepository() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task Should_Pass_Arguments_Exit_Status_And_Input_Through()
    {
        var arguments = await RunAsync("a", "b c", "--d=*");
        Assert.That(arguments.StandardOutput.Trim(), Is.EqualTo("a|b c|--d=*"));
        Assert.That(arguments.ExitCode, Is.EqualTo(3));

        var read = await Script("read").WithStandardInputPipe(CliWrap.PipeSource.FromString("hello")).ExecuteBufferedAsync();
        Assert.That(read.StandardOutput, Does.Contain("hello"));
    }

    [Test]
    public async Task Should_Compile_Only_When_A_Source_Changed()
    {
        await RunAsync();
        var compiled = File.ReadAllText(Stamp);

        await RunAsync();
        Assert.That(File.ReadAllText(Stamp), Is.EqualTo(compiled), "nothing changed");

        Write("build/Build/Extra.cs", "internal static class Extra;");
        await RunAsync();
        var withExtra = File.ReadAllText(Stamp);
        Assert.That(withExtra, Is.Not.EqualTo(compiled), "a file was added");

        File.Delete(InRoot("build/Build/Extra.cs"));
        await RunAsync();
        Assert.That(File.ReadAllText(Stamp), Is.Not.EqualTo(withExtra), "a file was deleted");
    }

    [Test]
    public async Task Should_Run_The_New_Program_When_A_Source_Was_Replaced_By_An_Older_One()
    {
        await RunAsync();
        var old = InRoot("old.cs");
        File.WriteAllText(old, "System.Console.WriteLine(\"older\");");
        File.SetLastWriteTimeUtc(old, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.Move(old, InRoot("build/Build/Program.cs"), overwrite: true);

        Assert.That((await RunAsync()).StandardOutput.Trim(), Is.EqualTo("older"));
    }

    [Test]
    public async Task Should_Both_Run_When_Two_Start_At_Once()
    {
        File.AppendAllText(InRoot("build/Build/Program.cs"), "// changed");

        var both = await Task.WhenAll(RunAsync("one"), RunAsync("two"));

        Assert.That(both.Select(result => result.StandardOutput.Trim()), Is.EqualTo(["one", "two"]));
        Assert.That(both.Select(result => result.StandardError), Has.All.Empty);
    }

    [Test]
    public async Task Should_Show_The_Error_And_Exit_With_1_When_It_Does_Not_Compile()
    {
        Write("build/Build/Program.cs", "nonsense");

        var result = await RunAsync();

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.StandardOutput, Is.Empty);
        Assert.That(result.StandardError, Does.Contain("Program.cs(1,1)").Or.Contain("error CS").And.EndsWith("build/Build does not compile.\n"));
    }

    [Test]
    public async Task Should_Say_Which_Sdk_Is_Needed_When_It_Is_Older()
    {
        var wanted = File.ReadAllText(InRoot("global.json"));
        Write("global.json", """{"sdk": {"version": "99.0.100"}}""");
        try
        {
            var result = await RunAsync();

            Assert.That(result.ExitCode, Is.EqualTo(5));
            Assert.That(result.StandardError, Does.StartWith("The .NET SDK 99.0.100 or a later feature band of it is needed (global.json); installed: "));
            Assert.That(result.StandardError.Trim().Split('\n'), Has.Length.EqualTo(1));
        }
        finally
        {
            Write("global.json", wanted);
        }
    }

    [Test]
    public async Task Should_Keep_The_Directory_Only_When_It_Is_In_The_Repository()
    {
        var folder = Directory.CreateDirectory(InRoot("samples")).FullName;

        Assert.That((await Script("directory").WithWorkingDirectory(folder).ExecuteBufferedAsync()).StandardOutput, Does.EndWith(folder + "\n"));
        Assert.That((await Script("directory").WithWorkingDirectory("/").ExecuteBufferedAsync()).StandardOutput, Does.EndWith(_root + "\n"));
    }

    [Test]
    public async Task Should_Have_The_Program_Compiled_Ahead_Of_Time_For_Later_Runs()
    {
        if (script == "build.ps1")
        {
            Assert.Ignore("build.ps1 leaves it: Windows replaces no program that runs.");
        }

        File.Copy(Path.Combine(TestSandbox.RepositoryRoot, "build", "CompileAhead.proj"), InRoot("build/CompileAhead.proj"));
        File.AppendAllText(InRoot("build/Build/Program.cs"), "// changed");

        await Script("first").WithEnvironmentVariables(variables => variables.Set("CI", null)).ExecuteBufferedAsync();
        var program = InRoot(Path.Combine(File.ReadAllText(Stamp).Trim(), "Build.dll"));
        Assert.That(() => IsCompiledAhead(program), Is.True.After(180_000, 100));

        Assert.That((await RunAsync("a", "b")).StandardOutput.Trim(), Is.EqualTo("a|b"));
    }

    private static bool IsCompiledAhead(string assembly)
    {
        using PEReader reader = new(File.OpenRead(assembly));
        return reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0;
    }

    private string Stamp => InRoot(script == "build.ps1" ? "build/bin/compiled-by-ps1" : "build/bin/compiled");

    private string InRoot(string path) => Path.Combine(_root, path);

    private CliWrap.Command Script(params string[] arguments) =>
        (script == "build.ps1" ? PowerShell(arguments) : CliWrap.Cli.Wrap(InRoot(script)).WithArguments(arguments)).WithWorkingDirectory(_root)
            .WithEnvironmentVariables(variables => variables.Set("CI", "true")).WithValidation(CliWrap.CommandResultValidation.None);

    private CliWrap.Command PowerShell(string[] arguments) => ProgramPath.Find("pwsh", EnvironmentVariables.OfProcess["PATH"]) is { } pwsh
        ? CliWrap.Cli.Wrap(pwsh).WithArguments(["-NoProfile", "-File", InRoot(script), .. arguments])
        : CliWrap.Cli.Wrap("dotnet").WithArguments(
            [Path.Combine(AppContext.BaseDirectory.Replace("Cake.K3s.IntegrationTests", "PowerShellEngine", StringComparison.Ordinal), "PowerShellEngine.dll"), InRoot(script), .. arguments]);

    private async Task<BufferedCommandResult> RunAsync(params string[] arguments) => await Script(arguments).ExecuteBufferedAsync();

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(InRoot(path))!);
        File.WriteAllText(InRoot(path), text);
    }
}

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>What the operator mistyped is told in one line, and nothing is started.</summary>
public sealed class BadInputTests
{
    private SampleApp _app = null!;

    [OneTimeSetUp]
    public async Task CopySample() => _app = await SampleApp.CopyAsync();

    [OneTimeTearDown]
    public async Task RemoveSample() => await _app.DisposeAsync();

    [TearDown]
    public async Task PutFilesBack() => await _app.RestoreAsync();

    [Test]
    public async Task Should_Name_File_Line_And_The_Nearest_Key_When_A_Key_Is_Unknown()
    {
        _app.Replace("deploy.yaml", "\nimages:", "\nimagges:");

        await ExpectAsync(@"^Error: .*deploy\.yaml:\d+:\d+: .*imagges.*images", "--target=Deploy");
    }

    [Test]
    public async Task Should_Name_File_And_Line_When_A_Manifest_Is_Not_Yaml()
    {
        _app.Write("manifests/app/broken.yaml", "apiVersion: v1\nkind: [ConfigMap\n");

        await ExpectAsync(@"^Error: manifests/app/broken\.yaml:\d+", "--target=Deploy");
    }

    [Test]
    public async Task Should_Name_File_Line_And_Image_When_Nobody_Defined_It()
    {
        _app.Replace("manifests/app/admin.yaml", "image: admin", "image: admim");

        await ExpectAsync(@"^Error: manifests/app/admin\.yaml:\d+:\d+: .*admim.*admin", "--target=Deploy");
    }

    [Test]
    public async Task Should_Name_File_Line_And_Variable_When_It_Is_Unset()
    {
        _app.Replace("manifests/app/ingress.yaml", "${API_HOST}", "${APP_HOST}");

        await ExpectAsync(@"^Error: manifests/app/ingress\.yaml:\d+:\d+: .*APP_HOST", "--target=Deploy");
    }

    [Test]
    public async Task Should_Name_The_Environments_When_There_Is_No_Such_One() =>
        await ExpectAsync("^Error: .*prodution.*production", "--target=Deploy", "--environment=prodution");

    [Test]
    public async Task Should_Name_The_Nearest_Target_When_There_Is_No_Such_One() =>
        await ExpectAsync("^Error: .*Deplo.*Deploy", "--target=Deplo");

    [Test]
    public async Task Should_Name_The_Nearest_Switch_When_It_Is_Unknown() =>
        await ExpectAsync("^Error: .*--dry-run.*--dryrun", "--target=Deploy", "--dry-run");

    private async Task ExpectAsync(string error, params string[] arguments)
    {
        var run = await _app.RunAsync(arguments);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.BadInput));
            Assert.That(run.Output.Split('\n').Where(line => line.StartsWith("Error:")).ToList(), Has.Count.EqualTo(1));
            Assert.That(run.Output, Does.Match("(?m)" + error));
            Assert.That(_app.HasSandbox, Is.False, "something was started");
        }
    }
}

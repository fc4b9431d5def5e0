using System.Formats.Tar;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Processes;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Tools;

/// <summary>An export through the real age and back.</summary>
public sealed class ExportTests
{
    [Test]
    public async Task Should_OpenWithTheIdentityAlone_When_EncryptedForItsRecipient()
    {
        var age = await ExternalTools.RequireAsync(ToolName.Age);
        using var directory = new TemporaryDirectory();
        var identity = Path.Combine(directory.Path, "identity.txt");
        var keygen = Path.Combine(Path.GetDirectoryName(age.Path)!, "age-keygen");
        if (!File.Exists(keygen))
        {
            keygen = "age-keygen";
        }

        await ExternalTools.Commands.RunAsync(new Command(keygen, "-o", identity), default);
        var recipient = File.ReadAllLines(identity).Single(line => line.StartsWith("# public key: ", StringComparison.Ordinal))["# public key: ".Length..];
        using var archive = new ExportArchive(DateTimeOffset.UtcNow);
        archive.Add("deploy.yaml", "app: shop # Zürich\n");
        var file = Path.Combine(directory.Path, "out", "shop.tar.age");

        await ClusterExport.EncryptAsync(archive, recipient, file, ExternalTools.Toolbox, ExternalTools.Commands, default);

        Assert.That(File.ReadAllText(file), Does.StartWith("age-encryption.org/v1").And.Not.Contain("shop"));
        var tar = Path.Combine(directory.Path, "shop.tar");
        await ExternalTools.Commands.RunAsync(new Command(age.Path, "--decrypt", "-i", identity, "-o", tar, file) { Environment = age.Environment }, default);
        using var reader = new TarReader(File.OpenRead(tar));
        var entry = reader.GetNextEntry()!;
        using var text = new StreamReader(entry.DataStream!);
        Assert.That((entry.Name, text.ReadToEnd()), Is.EqualTo(("deploy.yaml", "app: shop # Zürich\n")));
    }
}

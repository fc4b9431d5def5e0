using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Settings.Schema;

/// <summary>The schema as the file beside deploy.yaml.</summary>
public sealed class SchemaFile(RunOptions options, IReporter reporter)
{
    /// <summary>The file's name.</summary>
    internal const string Name = "deploy.schema.json";

    /// <summary>The schema as the library carries it.</summary>
    internal static string OfLibrary()
    {
        using var stream = typeof(SchemaFile).Assembly.GetManifestResourceStream(Name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Writes the file, if it is not as it should be already.</summary>
    /// <exception cref="K3sException">The library's documentation is not there (exit code 5).</exception>
    public void Refresh()
    {
        var file = Path.Combine(options.Root, Name);
        var text = new SettingsSchema(SettingsDocumentation.OfLibrary()).Write();
        if (File.Exists(file) && File.ReadAllText(file) == text)
        {
            reporter.Step("schema", $"{Name} is up to date");
            return;
        }

        File.WriteAllText(file, text);
        reporter.Step("schema", $"{Name} written");
    }
}

using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Targets;

namespace Cake.K3s.Settings.Schema;

/// <summary>The schema as the file beside deploy.yaml, and the reference pages that are made of the same types.</summary>
public sealed class SchemaFile
{
    /// <summary>The file's name.</summary>
    internal const string Name = "deploy.schema.json";

    private readonly RunOptions _options;
    private readonly IEnumerable<IFrostingTask> _tasks;
    private readonly IReporter _reporter;

    internal SchemaFile(RunOptions options, IEnumerable<IFrostingTask> tasks, IReporter reporter)
    {
        _options = options;
        _tasks = tasks;
        _reporter = reporter;
    }

    /// <summary>The schema as the library carries it.</summary>
    internal static string OfLibrary()
    {
        using var stream = typeof(SchemaFile).Assembly.GetManifestResourceStream(Name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Writes the file, if it is not as it should be already, and the pages where they are there.</summary>
    /// <exception cref="K3sException">The library's documentation is not there (exit code 5).</exception>
    public void Refresh()
    {
        var documentation = SettingsDocumentation.OfLibrary();
        Refresh(Name, new SettingsSchema(documentation).Write());
        RefreshPage("docs/settings.md", () => new SettingsReference(documentation).Write());
        RefreshPage("docs/targets.md", () => TargetReference.Write(_tasks.Select(task => task.GetType())));
    }

    // A page of that name that somebody wrote stays.
    private void RefreshPage(string file, Func<string> text)
    {
        var path = Path.Combine(_options.Root, file);
        if (File.Exists(path) && File.ReadAllText(path).Contains(ReferencePage.Mark, StringComparison.Ordinal))
        {
            Refresh(file, text());
        }
    }

    private void Refresh(string file, string text)
    {
        var path = Path.Combine(_options.Root, file);
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            _reporter.Step("schema", $"{file} is up to date");
            return;
        }

        File.WriteAllText(path, text);
        _reporter.Step("schema", $"{file} written");
    }
}

using System.Globalization;
using System.Reflection;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;

namespace Cake.K3s.Reporting.Report;

/// <summary>Writes a run's report to a folder of its own, and removes the oldest of earlier runs.</summary>
internal sealed class ReportFiles(RunOptions options, IEnumerable<IFrostingTask> tasks, ISecretMask mask)
{
    /// <summary>The page.</summary>
    public const string PageName = "report.html";

    /// <summary>The same for programs.</summary>
    public const string JsonName = "report.json";

    /// <summary>How many runs are kept, and of how many releases the evidence.</summary>
    public const int Kept = 20;

    private const string RunPrefix = "run-";
    private const string ReleasePrefix = "release-";

    /// <summary>Writes the report.</summary>
    /// <returns>The page's path; null for a run of which no report is of use.</returns>
    public string? Write(RunRecord run)
    {
        if (!IsOfUse(run))
        {
            return null;
        }

        Directory.CreateDirectory(options.ArtifactsDirectory);
        var folder = NewFolder(run);

        // A secret may have become known only after it was told, so the page is made of what was hidden in the other file.
        var json = run.Write(mask.Hide);
        Write(Path.Combine(folder, JsonName), json);
        var page = Path.Combine(folder, PageName);
        Write(page, ReportPage.Of(RunRecord.Read(json)));
        RemoveOld(RunPrefix, folder => Path.GetFileName(folder));
        RemoveOld(ReleasePrefix, folder => Path.GetFileName(folder).PadLeft(40, '0'));
        return page;
    }

    private bool IsOfUse(RunRecord run)
    {
        var names = run.Tasks.Select(task => task.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return !tasks.Select(task => task.GetType())
            .Where(type => names.Contains(type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name))
            .All(type => type.IsDefined(typeof(LeavesNoReportAttribute)));
    }

    private string NewFolder(RunRecord run)
    {
        var name = RunPrefix + run.StartedAt.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        for (var attempt = 1; ; attempt++)
        {
            var folder = Path.Combine(options.ArtifactsDirectory, attempt == 1 ? name : $"{name}-{attempt}");
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
                return folder;
            }
        }
    }

    private static void Write(string file, string text)
    {
        var partial = file + ".partial";
        File.WriteAllText(partial, text);
        File.Move(partial, file, overwrite: true);
    }

    private void RemoveOld(string prefix, Func<string, string> order)
    {
        foreach (var folder in Directory.GetDirectories(options.ArtifactsDirectory, prefix + "*").OrderByDescending(order, StringComparer.Ordinal).Skip(Kept))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Cake.K3s.Tools.Kubectl;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>
/// Reads the app's manifests from their folders: every .yaml, .yml and .json file in them and in the folders below, in the order of
/// their names; a folder with a kustomization goes through <c>kubectl kustomize</c> as a whole.
/// </summary>
public sealed class ManifestLoader
{
    private static readonly EnumerationOptions AllBelow = new() { RecurseSubdirectories = true, IgnoreInaccessible = false };
    private static readonly string[] KustomizationFiles = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    private readonly ICommandRunner _commands;
    private readonly IToolbox _tools;
    private readonly SemaphoreSlim _reading = new(1, 1);
    private Reading? _last;

    /// <summary>Made by the composition root.</summary>
    public ManifestLoader(ICommandRunner commands, IToolbox tools)
    {
        _commands = commands;
        _tools = tools;
    }

    /// <summary>
    /// Reads and checks all manifests. As long as neither what is put in nor a file changes, the same set is given again, so a run
    /// reads them once to check them and once to deploy them; whoever gets it changes nothing in it.
    /// </summary>
    /// <exception cref="SettingsException">One of them is wrong (exit code 2); the message says which file and line.</exception>
    /// <exception cref="CommandFailedException"><c>kubectl kustomize</c> failed.</exception>
    public async Task<ManifestSet> LoadAsync(ManifestInputs inputs, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var files = FilesOf(inputs);
            var stamp = Stamp(files);
            if (_last is { } last && last.Inputs.IsSameAs(inputs) && last.Stamp == stamp)
            {
                return last.Set;
            }

            // Before the new one is read: only one is held.
            _last = null;
            var set = await ReadAsync(inputs, cancellationToken);
            _last = files.Any(file => IsKustomization(file.FullName)) ? null : new(inputs, stamp, set);
            return set;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>The files that manifests are read from; what a kustomization is built from may be anywhere.</summary>
    private static List<FileInfo> FilesOf(ManifestInputs inputs) =>
    [
        .. inputs.Paths.Append(inputs.MigrationJob).OfType<string>()
            .Select(path => Path.GetFullPath(path, inputs.Root))
            .SelectMany(path => Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", AllBelow) : [new FileInfo(path)])
            .Where(file => file.Exists),
    ];

    /// <summary>Shows whether one of them is another one than before.</summary>
    private static string Stamp(List<FileInfo> files) =>
        string.Join('\n', files.Select(file => $"{file.FullName} {file.LastWriteTimeUtc.Ticks} {file.Length}").Order(StringComparer.Ordinal));

    private async Task<ManifestSet> ReadAsync(ManifestInputs inputs, CancellationToken cancellationToken)
    {
        var migration = inputs.MigrationJob is null ? null : MigrationFile(inputs);
        var sources = new List<string>();
        foreach (var path in inputs.Paths)
        {
            var full = Path.GetFullPath(path, inputs.Root);
            if (!Directory.Exists(full) && !File.Exists(full))
            {
                throw new SettingsException(
                    inputs.SettingsFile, 0, 0, $"manifests: there is no {path} in {inputs.Root}", "create it, or correct manifests");
            }

            sources.AddRange(SourcesIn(full).Where(source => source != migration));
        }

        // At the same time; where several are wrong, the first of them is told.
        var read = await Task.WhenAll(sources.Select(source => Task.Run(() => ReadAsync(source, inputs, cancellationToken), cancellationToken)));
        var manifests = read.SelectMany(some => some).ToImmutableArray();
        CheckDuplicates(manifests, inputs.Namespace);
        return new(manifests, migration is null ? null : await LoadMigrationAsync(migration, inputs, cancellationToken));
    }

    /// <summary>The files that a path stands for, and the folders that are built as a whole.</summary>
    private static IEnumerable<string> SourcesIn(string path) =>
        File.Exists(path) || Directory.EnumerateFiles(path).Any(IsKustomization)
            ? [path]
            : Directory.EnumerateFileSystemEntries(path)
                .Where(entry => !Path.GetFileName(entry).StartsWith('.'))
                .Where(entry => Directory.Exists(entry) || Path.GetExtension(entry) is ".yaml" or ".yml" or ".json")
                .Order(StringComparer.Ordinal)
                .SelectMany(SourcesIn);

    // Files are not awaited: as many are open as there are threads, not as there are files.
    private Task<IEnumerable<Manifest>> ReadAsync(string source, ManifestInputs inputs, CancellationToken cancellationToken) => Directory.Exists(source)
        ? KustomizeAsync(source, inputs, cancellationToken)
        : Task.FromResult<IEnumerable<Manifest>>([.. ManifestParser.Parse(File.ReadAllText(source), Path.GetRelativePath(inputs.Root, source), inputs)]);

    private async Task<IEnumerable<Manifest>> KustomizeAsync(string folder, ManifestInputs inputs, CancellationToken cancellationToken)
    {
        var kubectl = await _tools.RequireAsync(ToolName.Kubectl, $"the kustomization in {folder}", cancellationToken);
        var result = await _commands.RunAsync(KubectlCommands.Kustomize(kubectl, folder), cancellationToken);

        // Its own output has no lines that the operator could look at.
        return ManifestParser.Parse(result.StandardOutput, $"{Path.GetRelativePath(inputs.Root, folder)} (built)", inputs);
    }

    private static bool IsKustomization(string file) => KustomizationFiles.Contains(Path.GetFileName(file));

    private static string MigrationFile(ManifestInputs inputs)
    {
        var candidates = inputs.Paths.Append(".").Select(path => Path.GetFullPath(inputs.MigrationJob!, Path.GetFullPath(path, inputs.Root)));
        return candidates.FirstOrDefault(File.Exists) ?? throw new SettingsException(
            inputs.SettingsFile, 0, 0, $"migration.job: there is no {inputs.MigrationJob} in {string.Join(", ", inputs.Paths)}");
    }

    private async Task<Manifest> LoadMigrationAsync(string file, ManifestInputs inputs, CancellationToken cancellationToken)
    {
        var manifests = (await ReadAsync(file, inputs, cancellationToken)).ToImmutableArray();
        return manifests switch
        {
            [{ Key.Type: { Group: "batch", Kind: "Job" } } job] => job,
            [_, { } second, ..] => throw second.Place.Error("the migration's file holds more than its Job"),
            [{ } other] => throw other.Place.Error($"the migration is a Job (batch/v1), not a {other.Key.Type}"),
            _ => throw new SettingsException(Path.GetRelativePath(inputs.Root, file), 0, 0, "the migration's file holds no Job"),
        };
    }

    private static void CheckDuplicates(ImmutableArray<Manifest> manifests, string defaultNamespace)
    {
        var seen = new Dictionary<ObjectIdentity, Manifest>();
        foreach (var manifest in manifests)
        {
            var identity = manifest.Key.Identity with { Namespace = manifest.Key.Namespace ?? defaultNamespace };
            if (!seen.TryAdd(identity, manifest))
            {
                throw manifest.Place.Error($"{manifest.Key} is there twice; the first is at {seen[identity].Place}", "delete one of them or give it another name");
            }
        }
    }

    private sealed record Reading(ManifestInputs Inputs, string Stamp, ManifestSet Set);
}
